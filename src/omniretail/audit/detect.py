"""Whether a view stays bit-identical when events after its cutoff change."""

import gc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from omniretail.audit.as_of import AsOf
from omniretail.audit.audited_views import Columns
from omniretail.audit.perturbations import Perturbation, another_past, perturbations
from omniretail.schema import DataError, Tables

View = Callable[[AsOf], Columns]
CONTROL = "the past"
"""The change of the control: a view that it does not change depends on nothing, so its audit proves nothing."""


@dataclass(frozen=True)
class Finding:
    """One view under one change.

    Attributes:
        view: its name.
        at: the cutoff.
        change: what was changed after the cutoff, or ``CONTROL``.
        rows: length of its longest column.
        columns: number of columns.
        differing: column -> how many of its rows differ; all of them where length or type differ.
        why_not: why the view was not audited; empty where it was.
    """

    view: str
    at: datetime
    change: str
    rows: int = 0
    columns: int = 0
    differing: Mapping[str, int] = field(default_factory=dict)
    why_not: str = ""


def audit(
    views: Mapping[str, View],
    tables: Tables,
    at: datetime,
    changes: Mapping[str, Perturbation] | None = None,
    seed: int = 1,
) -> Iterator[Finding]:
    """Change the future and compare every view with what it was; then change the past as a control.

    Args:
        views: functions of ``AsOf``, by name.
        tables: the log.
        at: the cutoff.
        changes: of events after the cutoff, by name; None: all that apply to the log.
        seed: of the changes.

    Yields:
        One finding per view and change, and one for the control; a single one for a view that this log does not have.

    Raises:
        DataError: where no event lies after the cutoff.
    """
    as_of, before = AsOf(tables, at), {}
    for name, view in views.items():
        try:
            before[name] = _columns(view, as_of)
        except DataError as error:
            yield Finding(name, at, "", why_not=str(error))
    for name in [name for name, columns in before.items() if not _length(columns)]:
        yield Finding(name, at, "", why_not=f"it has no rows at {at}")
        del before[name]
    for number, (name, change) in enumerate({**(changes or perturbations(tables)), CONTROL: another_past}.items()):
        changed = AsOf(change(tables, at, np.random.default_rng([seed, number])), at)
        for view, columns in before.items():
            rows = differing(columns, _columns(views[view], changed))
            yield Finding(view, at, name, _length(columns), len(columns), rows)
        del changed
        gc.collect()  # a log is large and part of reference cycles: hold one at a time


def differing(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Number of differing rows per column; a column that one of them lacks differs in all rows.

    Numbers are compared bit by bit, so that 0 and -0 differ; missing values are equal.

    >>> one = {"a": np.array([1.0, np.nan]), "b": np.array([1, 2])}
    >>> differing(one, one | {"b": np.array([1, 3])})
    {'b': 1}
    """
    counts = {name: _rows(one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])}
    return {name: rows for name, rows in counts.items() if rows}


def _columns(view: View, as_of: AsOf) -> dict[str, np.ndarray]:
    return {str(name): np.atleast_1d(np.asarray(column)) for name, column in dict(view(as_of)).items()}


def _length(columns: Mapping[str, np.ndarray]) -> int:
    return max((len(column) for column in columns.values()), default=0)


def _rows(one: Any, other: Any) -> int:
    if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
        return max(1 if each is None else len(each) for each in (one, other))
    return int(np.count_nonzero(_comparable(one) != _comparable(other)))


def _comparable(values: np.ndarray) -> np.ndarray:
    """Numbers as bits, and one value for everything that is missing."""
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), np.nan, values).astype(values.dtype).view(f"u{values.dtype.itemsize}")
    missing = pd.isna(values)
    return np.where(missing, np.array(None), values) if values.dtype.kind == "O" or missing.any() else values
