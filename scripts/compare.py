"""Put any set of runs, or whole sweeps, into one table with intervals and paired tests."""

import argparse
import os
import sys
from pathlib import Path

METRICS = "recall_at_10,hit_rate_at_10,coverage_at_10"


def main() -> None:
    """Parse, compare, print; on demand also write the page or an experiment's files."""
    arguments = _arguments()
    try:
        _refresh(arguments.refresh, arguments.readme) if arguments.refresh else _compare(arguments)
    except (LookupError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("run_ids", nargs="*", help="runs or sweeps, as printed in run_id=<id>")
    parser.add_argument("--uri", default=os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"), help="store")
    parser.add_argument("--stage", choices=["val", "test"], default="test", help="which figures")
    parser.add_argument("--primary", default="ndcg_at_10", help="metric that orders and tests")
    parser.add_argument("--metrics", default=METRICS, help="metrics beside it, separated by commas")
    parser.add_argument("--floor", default="Popular", help="model that every other must beat")
    parser.add_argument("--html", type=Path, help="write the page with the plots there")
    parser.add_argument("--experiment", type=Path, help="write results.csv and the README's table of this folder")
    parser.add_argument("--refresh", type=Path, help="only make that folder's README table anew from its results.csv")
    parser.add_argument("--readme", type=Path, help="with --refresh: another file than the folder's README.md")
    arguments = parser.parse_args()
    if not arguments.run_ids and not arguments.refresh:
        parser.error("name at least one run, or --refresh a folder")
    return arguments


def _refresh(folder: Path, readme: Path | None = None) -> None:
    from omniretail.report import refresh  # here, so that --help does not wait for pandas

    refresh(readme or folder / "README.md", folder / "results.csv")


def _compare(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from omniretail.sweep import compare

    shown = arguments.metrics.split(",")
    compared = compare(arguments.uri, arguments.run_ids, arguments.stage, shown, arguments.primary, arguments.floor)
    for part in compared:
        part.show(Console(highlight=False))
    if (arguments.html or arguments.experiment) and len(compared) > 1:
        raise ValueError(
            f"the runs were judged under {len(compared)} protocols; name runs of one for a page or an experiment"
        )
    if arguments.html:
        compared[0].write_html(arguments.html)
    if arguments.experiment:
        compared[0].to_csv(arguments.experiment / "results.csv")
        _refresh(arguments.experiment)


if __name__ == "__main__":
    main()
