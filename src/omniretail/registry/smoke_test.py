"""A saved model served in a fresh process, without Lightning, Hydra and MLflow: does it give the same answers?"""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.serving.manifest import BundleError


@dataclass(frozen=True)
class Served:
    """What was measured in a fresh process.

    Attributes:
        answers: to the requests, as JSON has them.
        load_s: seconds to import and load.
        latency_p50_ms: of a single request, in process.
        latency_p99_ms: of a single request, in process.
        memory_mb: highest resident memory, MiB.
        packages: that were imported, with versions.
    """

    answers: list[dict[str, Any]]
    load_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    memory_mb: float
    packages: dict[str, str]


def serve_in_fresh_process(bundle: Path, requests: pd.DataFrame) -> Served:
    """Start a process, load the bundle there and send it the requests.

    Raises:
        BundleError: with the last line of the process's errors, where it does not answer.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "requests.json").write_text(json.dumps(requests.to_dict(orient="records")))
        process = subprocess.run(
            [sys.executable, "-m", "omniretail.serving.selfcheck", str(bundle), str(folder)],
            capture_output=True,
            text=True,
        )
        if process.returncode:
            reason = (process.stderr.strip() or "no message").splitlines()[-1]
            raise BundleError(f"the saved model does not answer in a process of its own: {reason}")
        answers = json.loads((folder / "answers.json").read_text())
        return Served(answers=answers, **json.loads((folder / "measurements.json").read_text()))


def as_json(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """Answers as ``Served`` has them, for comparison."""
    return json.loads(json.dumps(answers.to_dict(orient="records")))
