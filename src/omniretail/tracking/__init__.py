"""MLflow: every run with its settings, data, code, metrics and files; the only module that imports mlflow for runs.

A run goes to the server of the tracking URI. Where that cannot be reached, the run is saved in the local SQLite file,
and the log says how to push it.
"""

from omniretail.tracking.logged_models import ModelFiles
from omniretail.tracking.machine import system_metrics
from omniretail.tracking.recorded_runs import children, push
from omniretail.tracking.results_io import (
    DataSummary,
    load_config,
    load_data_summary,
    load_result,
    load_table,
    mlflow_metrics,
    record_evaluations,
    seed_metrics,
)
from omniretail.tracking.runs import TrackedRun, check_store, sweep, tracked
from omniretail.tracking.store import LOCAL, open_store
from omniretail.tracking.ui import ui_command

__all__ = [
    "LOCAL",
    "DataSummary",
    "ModelFiles",
    "TrackedRun",
    "check_store",
    "children",
    "load_config",
    "load_data_summary",
    "load_result",
    "load_table",
    "mlflow_metrics",
    "open_store",
    "push",
    "record_evaluations",
    "seed_metrics",
    "sweep",
    "system_metrics",
    "tracked",
    "ui_command",
]
