"""Send a run that was kept locally, because its tracking server was down, to that server."""

import argparse
import os
import sys


def main() -> None:
    """Parse, push, print the run's id on the server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run_id", help="the run to send, as printed when it was kept")
    parser.add_argument("--to", default=os.environ.get("MLFLOW_TRACKING_URI"), help="tracking URI of the server")
    parser.add_argument("--source", default="sqlite:///mlflow.db", help="where the run is kept (default: %(default)s)")
    arguments = parser.parse_args()
    if not arguments.to:
        parser.error("say where to: --to http://… or MLFLOW_TRACKING_URI")

    from omniretail.tracking import push  # here, so that --help does not wait for MLflow

    try:
        print(f"run_id={push(arguments.run_id, arguments.source, arguments.to)}")
    except (LookupError, ConnectionError, PermissionError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
