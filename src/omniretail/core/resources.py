"""What a block of code costs: seconds and peak resident memory."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

_EVERY_S = 0.01


@dataclass
class Cost:
    """Cost of a block, complete when the block ends.

    Attributes:
        seconds: wall-clock time.
        peak_memory_mb: highest resident memory of this process, MiB, sampled every 10 ms.
    """

    seconds: float = 0.0
    peak_memory_mb: float = 0.0


def costs(**stages: Cost) -> dict[str, float]:
    """The costs of a result: seconds of each stage, and the highest memory of all.

    >>> costs(fit=Cost(2.0, 100.0), score=Cost(1.0, 300.0))
    {'fit_s': 2.0, 'score_s': 1.0, 'peak_memory_mb': 300.0}
    """
    seconds = {f"{name}_s": stage.seconds for name, stage in stages.items()}
    return seconds | {"peak_memory_mb": max(stage.peak_memory_mb for stage in stages.values())}


@contextmanager
def metered() -> Iterator[Cost]:
    """Measure the block.

    Memory is sampled, because the kernel's own peak counts from the start of the process: in a sweep within one process
    it would charge each model with the largest one before it.

    >>> with metered() as cost:
    ...     _ = sum(range(10))
    >>> cost.seconds > 0 and cost.peak_memory_mb > 0
    True
    """
    cost, process, done = Cost(), psutil.Process(), threading.Event()

    def sample() -> None:
        while True:
            cost.peak_memory_mb = max(cost.peak_memory_mb, process.memory_info().rss / 2**20)
            if done.wait(_EVERY_S):
                return

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    start = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = time.perf_counter() - start
        done.set()
        sampler.join()
