"""Failed jobs of a sweep, written into their own folders, since any process of the launcher may run them."""

import json
from collections.abc import Collection, Iterator
from pathlib import Path

from hydra.core.hydra_config import HydraConfig

_FILE = "failure.json"


def write_failure(name: str, error: str) -> None:
    """Note that this job has failed; the sweep lists it when it ends."""
    job = HydraConfig.get()
    failure = {"name": name, "overrides": list(job.overrides.task), "error": " ".join(error.split())}
    folder = Path(job.runtime.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _FILE).write_text(json.dumps(failure))


def failures(folder: Path, common: Collection[str]) -> Iterator[str]:
    """A line per failed job: the model, what distinguishes the job, and the error.

    Args:
        folder: of the sweep.
        common: overrides that all jobs share, which are not shown.
    """
    for path in sorted(folder.rglob(_FILE), key=lambda path: (len(path.parent.name), path.parent.name)):
        failure = json.loads(path.read_text())
        own = " ".join(each for each in failure["overrides"] if each not in common)
        yield f"{failure['name']} ({own}): {failure['error']}" if own else f"{failure['name']}: {failure['error']}"


def forget_failures(folder: Path) -> None:
    """Remove what an earlier sweep in the same folder noted."""
    for path in folder.rglob(_FILE):
        path.unlink()
