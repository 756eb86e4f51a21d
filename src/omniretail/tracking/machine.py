"""CPU, memory, disk and network of the machine while a run lasts, as MLflow records them under ``system/``."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.system_metrics import system_metrics_monitor

from omniretail.core.credentials import reveal
from omniretail.tracking.runs import TrackedRun

_EVERY_S = 10


@contextmanager
def system_metrics(run: TrackedRun, wanted: bool = True) -> Iterator[None]:
    """Record the machine's state every ten seconds for as long as the block lasts.

    Args:
        run: open.
        wanted: False: record nothing.
    """
    if not wanted:
        yield
        return
    logging.getLogger(system_metrics_monitor.__name__).setLevel(logging.ERROR)
    monitor = system_metrics_monitor.SystemMetricsMonitor(run.run_id, _EVERY_S, tracking_uri=reveal(run.uri))
    monitor.start()
    try:
        yield
    finally:
        monitor.finish()
