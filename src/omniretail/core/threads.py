"""How many threads a process may use: its affinity and the quota of its cgroup, not the machine's processors."""

import math
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_CGROUPS, _OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@cache
def n_threads() -> int:
    """Processors' worth of time that this process may use, rounded up, at least 1.

    ``os.cpu_count`` counts the machine's, ``joblib.cpu_count`` reads the quota of the outermost cgroup alone.
    """
    return max(1, min([_affinity(), *map(math.ceil, _quotas())]))


def limit_thread_pools() -> None:
    """Let OpenMP and BLAS obey the quota, which they do not read; to be called before they are imported."""
    if n_threads() < _affinity():
        for variable in _POOLS:
            os.environ.setdefault(variable, str(n_threads()))


def _affinity() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _quotas() -> Iterator[float]:
    """Quotas of this process's cgroup and of those around it, in processors; versions 2 and 1."""
    try:
        lines = _OWN.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        root = next((each for each in (_CGROUPS / controllers, _CGROUPS / "cpu") if each.is_dir()), _CGROUPS)
        folder = root / path.lstrip("/")
        for place in [folder, *folder.parents]:
            if place.is_relative_to(root) and (quota := _quota(place)):
                yield quota


def _quota(folder: Path) -> float | None:
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
        except (OSError, ValueError):
            continue
        return None if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
    return None
