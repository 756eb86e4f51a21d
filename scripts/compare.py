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
    parser.add_argument("--by", choices=["activity"], help="show the primary metric by how much was known of the user")
    parser.add_argument("--against", help="with --by: the model that every other is tested against; default: the best")
    pair = {"nargs": 2, "action": "append", "metavar": ("MODEL", "OTHER")}
    parser.add_argument("--pair", **pair, help="with --by: test these two instead; may be given again")
    parser.add_argument("--html", type=Path, help="write the page with the plots there")
    parser.add_argument(
        "--experiment", type=Path, help="write results.csv (with --by: groups.csv) and its README's table"
    )
    parser.add_argument("--refresh", type=Path, help="only make the tables of that folder's README anew from its files")
    parser.add_argument("--readme", type=Path, help="with --refresh: another file than the folder's README.md")
    arguments = parser.parse_args()
    if not arguments.run_ids and not arguments.refresh:
        parser.error("name at least one run, or --refresh a folder")
    return arguments


def _refresh(folder: Path, readme: Path | None = None) -> None:
    from omniretail.report import refresh  # here, so that --help does not wait for pandas

    refresh(readme or folder / "README.md", folder / "results.csv")
    if readme is None and (folder / "groups.csv").exists():
        refresh(folder / "README.md", folder / "groups.csv", "groups")


def _compare(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from omniretail.sweep import compare

    shown = arguments.metrics.split(",")
    compared = compare(arguments.uri, arguments.run_ids, arguments.stage, shown, arguments.primary, arguments.floor)
    if arguments.by:
        _by_activity(arguments, compared)
        return
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


def _by_activity(arguments: argparse.Namespace, compared: list) -> None:
    from rich.console import Console

    from omniretail.report.tables.by_activity import activity_cells, activity_comparison, activity_legend, pairs_against
    from omniretail.report.tables.plain import plain_terminal
    from omniretail.report.tables.render import refresh
    from omniretail.result import Result

    if len(compared) > 1 or not isinstance(compared[0].results[0], Result):
        raise ValueError("--by activity takes recommenders judged under one protocol; name runs of such alone")
    results = compared[0].results
    pairs = arguments.pair or pairs_against(results, arguments.against or str(compared[0].table.index[0]))
    table = activity_comparison(results, arguments.primary, [(one, other) for one, other in pairs])
    console = Console(highlight=False)
    console.print(plain_terminal(activity_cells(table)), *activity_legend(table), sep="\n")
    if arguments.experiment:
        table.to_csv(arguments.experiment / "groups.csv", index=False)
        refresh(arguments.experiment / "README.md", arguments.experiment / "groups.csv", "groups")


if __name__ == "__main__":
    main()
