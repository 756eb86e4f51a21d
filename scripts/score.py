"""Answer a file of requests with a registered model.

python scripts/score.py model=models:/grocery-recommender@champion input=users.parquet output=recommendations.parquet

The input is Parquet, a row per request: user_id, or history, k, store_id, … (docs/serving.md). Memory is bounded
whatever its length. A run that was stopped goes on where it was when the same command is given again.

  rows=20000     requests at a time
  uri=…          of the registry; default: MLFLOW_TRACKING_URI, else sqlite:///mlflow.db
"""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_LOCAL = "sqlite:///mlflow.db"


def main() -> None:
    """Pull the model, answer, say how fast."""
    if {"-h", "--help"} & set(sys.argv[1:]) or not sys.argv[1:]:
        print(__doc__)
        return
    try:
        score(arguments(sys.argv[1:]))
    except (LookupError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def arguments(given: Sequence[str]) -> dict[str, str]:
    """What was given, with defaults.

    Raises:
        ValueError: where an argument is unknown, missing or no number.
    """
    own = {"rows": "20000", "uri": os.environ.get("MLFLOW_TRACKING_URI", _LOCAL)}
    for each in given:
        name, mark, value = each.partition("=")
        if not mark or name not in ("model", "input", "output", *own):
            raise ValueError(f"{each}: there are model=, input=, output=, rows= and uri=")
        own[name] = value
    for name in ("model", "input", "output"):
        if not own.get(name):
            raise ValueError(f"{name}= is missing; see --help")
    if not own["rows"].isdecimal() or int(own["rows"]) < 1:
        raise ValueError(f"rows={own['rows']} is no whole number from 1 on")
    return own


def score(own: dict[str, str]) -> int:
    """The number of rows answered."""
    from omniretail.serving.batch_file import answer_file
    from omniretail.serving.load_registered import (
        load_registered,  # here, so that --help does not wait for the numerical libraries
    )

    pulled = load_registered(own["uri"], own["model"])
    start = time.perf_counter()
    n = answer_file(pulled.service, pulled.digest, Path(own["input"]), Path(own["output"]), int(own["rows"]))
    seconds = time.perf_counter() - start
    print(f"{n:,} requests answered by {pulled.version} in {seconds:.1f} s ({n / seconds:,.0f} a second)")
    print(f"output={own['output']}")
    return n


if __name__ == "__main__":
    main()
