"""Fetch public datasets into the data root, from their publishers' addresses."""

import argparse
import os
import sys
from pathlib import Path

from omniretail.config import CONFIGS
from omniretail.sources.download.dataset import fetch, read_datasets
from omniretail.sources.download.download import FetchError


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where a dataset cannot be fetched, with one sentence.
    """
    datasets = read_datasets(CONFIGS / "fetch.yaml")
    listing = "\n".join(f"  {name:20} {dataset.title}" for name, dataset in datasets.items())
    parser = argparse.ArgumentParser(
        prog="fetch.py",
        description=__doc__,
        epilog=f"datasets, named as their sources:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="+", choices=datasets, help="one or more of those listed below")
    root = os.environ.get("OMNIRETAIL_DATA", "./data")
    parser.add_argument("--root", type=Path, default=root, help="data root (default: OMNIRETAIL_DATA, now %(default)s)")
    arguments = parser.parse_args()
    try:
        for name in arguments.names:
            fetch(datasets[name], arguments.root)
    except FetchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; run the command again to resume")
