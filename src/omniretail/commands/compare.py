"""Put any set of runs, or whole sweeps, into one table per protocol, with intervals and paired tests."""

import argparse
import os
import sys
from pathlib import Path

from omniretail.core.errors import USER_ERRORS


def main() -> None:
    """Run the command line.

    Raises:
        SystemExit: where something is wrong that the user can mend, with one sentence.
    """
    arguments = _arguments()
    from omniretail.report.experiment import refresh  # here, so that --help does not wait for pandas

    try:
        if arguments.refresh:
            refresh(arguments.refresh, arguments.readme)
        else:
            _compare(arguments)
    except (*USER_ERRORS, OSError) as error:
        sys.exit(f"error: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="compare.py", description=__doc__)
    add = parser.add_argument
    add("run_ids", nargs="*", help="runs or sweeps, as printed in run_id=<id>")
    add("--uri", default=os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"), help="tracking store")
    add("--stage", choices=["val", "test"], default="test", help="stage whose results are compared; default: test")
    add("--primary", help="metric that models are ordered and tested by; default: that of the runs' task")
    add("--metrics", help="metrics beside it, or patterns such as '*/auc', separated by commas; default: as above")
    add("--baseline", help="model that every other must beat, by its name or how it starts; default: as above")
    add("--by", choices=["activity"], help="show the primary metric by the user's activity")
    add("--against", help="with --by: the model that every other is tested against; default: the best")
    pair = {"nargs": 2, "action": "append", "metavar": ("MODEL", "OTHER"), "default": []}
    add("--pair", **pair, help="with --by: test these two instead; may be repeated")
    add("--html", type=Path, help="write the page with the plots there; a page per protocol")
    add("--experiment", type=Path, help="put the tables into results.csv and README.md of that folder")
    add("--table", default="", help="with --experiment: name of the table's markers in the README, or one per table")
    add("--refresh", type=Path, help="only make the tables of that folder's README anew from its results.csv")
    add("--readme", type=Path, help="with --refresh: another file than the folder's README.md")
    arguments = parser.parse_args()
    if not arguments.run_ids and not arguments.refresh:
        parser.error("name at least one run, or --refresh a folder")
    if (arguments.against or arguments.pair) and not arguments.by:
        parser.error("--against and --pair go with --by activity; another baseline is --baseline")
    return arguments


def _compare(arguments: argparse.Namespace) -> None:
    from rich.console import Console

    from omniretail.report.compare import gains_tested
    from omniretail.report.experiment import named_tables, save_tables
    from omniretail.report.tables.comparison_text import text_table
    from omniretail.report.tables.protocol import differing_settings
    from omniretail.sweep import compare

    metrics = None if arguments.metrics is None else arguments.metrics.split(",")
    compared = compare(arguments.uri, arguments.run_ids, arguments.stage, metrics=metrics, primary=arguments.primary)
    if arguments.baseline:
        compared = [part.with_baseline(arguments.baseline) for part in compared]
    compared = gains_tested(compared)
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    tables = [part.by_activity(arguments.pair, arguments.against) if arguments.by else part.table for part in compared]
    headings = differing_settings([part.results[0].protocol for part in compared])
    for part, table, heading in zip(compared, tables, headings, strict=True):
        if heading:
            console.print(f"\nProtocol with {heading}", style="bold", markup=False)
        if arguments.by:
            console.print(text_table(table).terminal(console.width))
        else:
            part.show(console)
    for number, part in enumerate(compared if arguments.html else ()):
        page = arguments.html.with_stem(f"{arguments.html.stem}_{number}") if number else arguments.html
        part.write_html(page)
        part.list_page(page)
    if arguments.experiment:
        save_tables(arguments.experiment, named_tables(tables, arguments.table))
