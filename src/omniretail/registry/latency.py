"""How fast a candidate answers, and how fast beside the champion, measured when it is to be promoted."""

import json
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omniretail.serving.load_registered import checked_bundle
from omniretail.serving.manifest import BundleError


@dataclass(frozen=True)
class Latency:
    """Milliseconds of single requests, in process.

    Attributes:
        p99: of the candidate.
        median: of the candidate.
        champion_median: of the champion, measured in alternation with the candidate; None where there is none.
        failure: why nothing was measured; empty where it was.
    """

    p99: float = float("nan")
    median: float = float("nan")
    champion_median: float | None = None
    failure: str = ""


def measured_latency(uri: str, name: str, candidate: str, champion: str = "") -> Latency:
    """Load the versions in a fresh process and time them in alternation.

    Args:
        uri: of the registry.
        name: of the registered model.
        candidate: version.
        champion: version; empty: the candidate alone.
    """
    versions = [each for each in (candidate, champion) if each]
    try:
        bundles = [checked_bundle(uri, f"models:/{name}/{version}") for version in versions]
        times = _in_fresh_process(bundles)
    except (LookupError, BundleError) as error:
        return Latency(failure=str(error))
    own, *other = (np.array(each) for each in times)
    return Latency(float(np.quantile(own, 0.99)), float(np.median(own)), float(np.median(other[0])) if other else None)


def _in_fresh_process(bundles: list[Path]) -> list[list[float]]:
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "times.json"
        command = [sys.executable, "-m", "omniretail.serving.latency", str(file), *map(str, bundles)]
        process = subprocess.run(command, capture_output=True, text=True)
        if process.returncode:
            reason = (process.stderr.strip() or "no message").splitlines()[-1]
            raise BundleError(f"a saved model does not answer in a process of its own: {reason}")
        return json.loads(file.read_text())
