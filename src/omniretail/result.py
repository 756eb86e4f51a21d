"""The one result: what an evaluation found, as reports compare it, tracking keeps it and the gate reads it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import pandas as pd

METRIC_COLUMNS = ["metric", "group", "value", "low", "high"]


@dataclass(frozen=True)
class Result:
    """One model evaluated by one task at one stage of one dataset.

    A metric of a group (a question, a window, a segment) has the key ``<group>/<metric>``, e.g. ``churn/auc``.

    Attributes:
        model: its name for people, e.g. ``EASE``.
        stage: ``val`` or ``test``.
        task: name of the task, e.g. ``recommendation``.
        per_unit: one row per unit that was judged (user, mailing, visit, …), with its ids as index or columns. A column
            named like a metric's key holds that metric's value per unit, NaN where the unit has none; the metric is
            then their mean, and two models are compared by a paired t-test.
        metrics: long, columns ``metric, group, value, low, high``; ``group`` is empty where the metric is of all units,
            ``low`` and ``high`` hold its 95 % interval, NaN where none was made.
        resampled: R rows of a paired bootstrap over units, one column per metric that is no mean over units; the same
            draws for every model of a protocol. Empty where there is no such metric.
        protocol: every setting that must be equal for two results to be comparable.
        parameters: the model's hyper-parameters in a line, which distinguishes runs of one model.
        counts: facts in numbers (``users_judged``, ``learned_redeemed``, …), equal for all models of a protocol.
        cost: ``fit_s`` and ``score_s`` (seconds), ``peak_memory_mb`` (MiB), and a task's own.
        seed: of the model.
        run_id: the MLflow run behind it; empty before it is tracked.
    """

    model: str
    stage: str
    task: str = "recommendation"
    per_unit: pd.DataFrame = field(default_factory=pd.DataFrame)
    metrics: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=METRIC_COLUMNS))
    resampled: pd.DataFrame = field(default_factory=pd.DataFrame)
    protocol: Mapping[str, str] = field(default_factory=dict)
    parameters: str = ""
    counts: Mapping[str, float] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    seed: int = 0
    run_id: str = ""

    def values(self) -> dict[str, float]:
        """Every metric by its key, in order."""
        keys = [key(group, metric) for group, metric in zip(self.metrics.group, self.metrics.metric, strict=True)]
        return dict(zip(keys, self.metrics.value.astype(float), strict=True))

    def value(self, metric: str) -> float:
        """One metric by its key.

        Raises:
            KeyError: naming the metrics that there are.
        """
        values = self.values()
        if metric not in values:
            raise KeyError(f"{self.model} has no metric {metric}; it has {', '.join(values)}")
        return values[metric]

    def __str__(self) -> str:
        """The metrics as a table."""
        return f"{self._title()}\n{self._frame().to_string(index=False)}"

    def _repr_html_(self) -> str:
        """The metrics as a table in a notebook."""
        return f"<p>{escape(self._title())}</p>{self._frame().to_html(index=False, border=0)}"

    def _title(self) -> str:
        cost = ", ".join(f"{name} {value:,.1f}" for name, value in self.cost.items())
        return f"{self.model} on {self.protocol.get('source', 'data')}, {self.stage} ({cost})"

    def _frame(self) -> pd.DataFrame:
        """Metrics as rows; list lengths, where metrics have them, as columns, else the value and its interval."""
        shown = self.metrics.dropna(subset=["value"])
        named = shown.metric.str.extract(r"^(?P<name>.+)_at_(?P<k>\d+)$")
        if named.k.notna().all() and len(shown):
            wide = shown.assign(metric=named.name, k=named.k.astype(int))
            return wide.pivot_table("value", ["metric"], "k", sort=False).round(4).add_prefix("@").reset_index()
        empty = [
            name for name in ("group", "low", "high") if not any(value == value and value for value in shown[name])
        ]
        return shown.round(4).drop(columns=empty).astype(object).where(shown.notna(), "")


def key(group: str, metric: str) -> str:
    """Key of a group's metric.

    >>> key("churn", "auc"), key("", "auc")
    ('churn/auc', 'auc')
    """
    return f"{group}/{metric}" if group else metric


def metric_rows(values: Mapping[str, float], group: str = "", low: Any = None, high: Any = None) -> pd.DataFrame:
    """Rows of ``Result.metrics`` for one group.

    Args:
        values: metric -> value.
        group: to which they belong.
        low: metric -> lower end of the 95 % interval; None: none was made.
        high: metric -> upper end.
    """
    ends = [{} if end is None else end for end in (low, high)]
    rows: Iterable[dict[str, Any]] = (
        {"metric": name, "group": group, "value": float(value), "low": ends[0].get(name), "high": ends[1].get(name)}
        for name, value in values.items()
    )
    return pd.DataFrame(rows, columns=METRIC_COLUMNS).astype({"value": float, "low": float, "high": float})
