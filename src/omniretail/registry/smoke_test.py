"""A kept model asked in a fresh process, without Lightning, Hydra and MLflow: does it answer, and as it did here?"""

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
    """What a fresh process found.

    Attributes:
        answers: to the requests, as JSON has them.
        load_s: seconds to import and load.
        latency_p50_ms: of a single request, in process.
        latency_p99_ms: of a single request, in process.
        memory_mb: highest resident memory, MiB.
        packages: that it took, with versions.
    """

    answers: list[dict[str, Any]]
    load_s: float
    latency_p50_ms: float
    latency_p99_ms: float
    memory_mb: float
    packages: dict[str, str]


def serve_in_fresh_process(bundle: Path, requests: pd.DataFrame) -> Served:
    """Start a process, load the bundle there and ask.

    Raises:
        BundleError: with the process's last words, where it does not answer.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "requests.json").write_text(json.dumps(requests.to_dict(orient="records")))
        done = subprocess.run(
            [sys.executable, "-m", "omniretail.serving.selfcheck", str(bundle), str(folder)],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr.strip() or "nothing").splitlines()[-1]
            raise BundleError(f"the kept model does not answer in a process of its own: {said}")
        return Served(
            answers=json.loads((folder / "answers.json").read_text()), **json.loads((folder / "facts.json").read_text())
        )


def as_json(answers: pd.DataFrame) -> list[dict[str, Any]]:
    """Answers as ``Served`` has them, to be held against each other."""
    return json.loads(json.dumps(answers.to_dict(orient="records")))
