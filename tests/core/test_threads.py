"""Threads obey the process's affinity and the quotas of its cgroups."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from omniretail.core import threads
from omniretail.core.engine import connect


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    threads.n_threads.cache_clear()
    yield
    threads.n_threads.cache_clear()


def quota_of(monkeypatch: pytest.MonkeyPatch, root: Path, cgroup: str, files: dict[str, str]) -> int:
    """The count on a machine of 64 processors with these files below ``/sys/fs/cgroup``."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "own").write_text(cgroup)
    monkeypatch.setattr(threads, "_CGROUPS", root)
    monkeypatch.setattr(threads, "_OWN", root / "own")
    monkeypatch.setattr(threads, "_affinity", lambda: 64)
    return threads.n_threads()


@pytest.mark.parametrize(
    ("cgroup", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "250000 100000\n"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "max 100000"}, 2),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000", "a/b/cpu.max": "50000 100000"}, 1),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 64),
        ("1:cpu:/x\n", {"cpu/x/cpu.cfs_quota_us": "400000", "cpu/x/cpu.cfs_period_us": "100000"}, 4),
        ("3:cpu,cpuacct:/\n", {"cpu/cpu.cfs_quota_us": "400000", "cpu/cpu.cfs_period_us": "100000"}, 4),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 64),
        ("2:memory:/x\n", {"cpu.max": "100000 100000"}, 64),
        ("", {}, 64),
    ],
)
def test_quotas(
    cgroup: str, files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quota_of(monkeypatch, tmp_path, cgroup, files) == expected


def test_pools_are_limited_only_by_a_quota(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"MKL_NUM_THREADS": "1"})
    assert quota_of(monkeypatch, tmp_path, "0::/\n", {"cpu.max": "max 100000"}) == 64
    threads.limit_thread_pools()
    assert os.environ == {"MKL_NUM_THREADS": "1"}
    threads.n_threads.cache_clear()
    quota_of(monkeypatch, tmp_path, "0::/\n", {"cpu.max": "300000 100000"})
    threads.limit_thread_pools()
    assert os.environ == {"MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "3"}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux alone has affinities")
def test_affinity_reaches_duckdb() -> None:
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))});"
        "from omniretail.core.engine import connect;"
        "print(connect().raw_sql(\"SELECT current_setting('threads')\").fetchone()[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


def test_duckdb_uses_what_the_process_may(tmp_path: Path) -> None:
    (setting,) = connect().raw_sql("SELECT current_setting('threads')").fetchall()  # a rest would block the connection
    assert setting == (threads.n_threads(),)
