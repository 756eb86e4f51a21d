"""Open MLflow's pages on the runs of a tracking store, at a free port: see ``--help``."""

import argparse
import os
import sys

from omniretail.core.errors import USER_ERRORS


def main() -> None:
    """Run the command line; it ends with Ctrl-C.

    Raises:
        SystemExit: where something is wrong that the user can mend, with one sentence.
    """
    arguments = _arguments()
    from omniretail.tracking.ui import serve  # here, so that --help does not wait for MLflow

    try:
        serve(arguments.uri, arguments.run_id, arguments.port)
    except (*USER_ERRORS, ConnectionError) as error:
        sys.exit(f"error: {error}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="ui.py", description=__doc__)
    add = parser.add_argument
    add("run_id", nargs="?", default="", help="run or sweep to open, as printed in run_id=<id>; default: the last one")
    add("--uri", default=os.environ.get("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db"), help="tracking store")
    add("--port", type=int, default=0, help="default: a free one")
    arguments = parser.parse_args()
    arguments.run_id = arguments.run_id.removeprefix("run_id=")
    return arguments
