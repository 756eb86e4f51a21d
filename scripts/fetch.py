"""Fetch public datasets into the data root, from their publishers' addresses."""

import argparse
import os
import sys
from pathlib import Path

from omniretail.sources.download.dataset import fetch, read_datasets
from omniretail.sources.download.download import FetchError

FACTS = Path(__file__).parents[1] / "configs" / "fetch.yaml"


def main() -> None:
    """Parse, fetch, and end with one sentence where something is amiss."""
    datasets = read_datasets(FACTS)
    listing = "\n".join(f"  {name:20} {dataset.title}" for name, dataset in datasets.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"datasets:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", metavar="NAME", nargs="+", choices=datasets, help="one or more of those listed below")
    parser.add_argument(
        "--root",
        type=Path,
        default=os.environ.get("OMNIRETAIL_DATA", "./data"),
        help="data root (default: OMNIRETAIL_DATA, now %(default)s)",
    )
    arguments = parser.parse_args()
    try:
        for name in arguments.names:
            fetch(datasets[name], arguments.root)
    except FetchError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped; run the command again to go on")


if __name__ == "__main__":
    main()
