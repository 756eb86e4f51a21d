"""MLflow: every run with its settings, data, code, figures and files; the only importer of mlflow for runs.

A run goes to the server that the tracking URI names. Where that cannot be reached, the run is kept in the local SQLite
file and says how to push it.
"""

from omniretail.tracking.results_io import DataFacts, load_data_facts, load_result, record_results
from omniretail.tracking.runs import LOCAL, TrackedRun, children, failed_children, push, sweep, tracked

__all__ = [
    "LOCAL",
    "DataFacts",
    "TrackedRun",
    "children",
    "failed_children",
    "load_data_facts",
    "load_result",
    "push",
    "record_results",
    "sweep",
    "tracked",
]
