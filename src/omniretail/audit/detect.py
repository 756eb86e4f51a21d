"""Whether a view stays bit-identical when what comes after its moment is another."""

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
"""What is changed for a control: a view that it does not move proves nothing by standing still."""


@dataclass(frozen=True)
class Finding:
    """One view under one change.

    Attributes:
        view: its name.
        at: the moment.
        change: what was changed after it, or ``CONTROL``.
        rows: of its longest column.
        columns: how many.
        differing: how many rows of a column changed, by its name; all of them where its length or type did.
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
    """Change the future and hold every view against what it was; and the past, which must move it.

    Args:
        views: functions of ``AsOf``, by name.
        tables: the log.
        at: the moment.
        changes: of what comes after it, by name; None: all that the log can have.
        seed: of the changes.

    Yields:
        One finding per view and change, and for the control; one alone for a view that this log does not have.

    Raises:
        DataError: where nothing lies after the moment.
    """
    known, before = AsOf(tables, at), {}
    for name, view in views.items():
        try:
            before[name] = _columns(view, known)
        except DataError as error:
            yield Finding(name, at, "", why_not=str(error))
    for name in [name for name, columns in before.items() if not _length(columns)]:
        yield Finding(name, at, "", why_not=f"it has no rows at {at}")
        del before[name]
    for number, (what, change) in enumerate({**(changes or perturbations(tables)), CONTROL: another_past}.items()):
        again = AsOf(change(tables, at, np.random.default_rng([seed, number])), at)
        for name, columns in before.items():
            found = differing(columns, _columns(views[name], again))
            yield Finding(name, at, what, _length(columns), len(columns), found)
        del again
        gc.collect()  # another log hangs in cycles, and is large: one at a time


def differing(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> dict[str, int]:
    """How many rows differ in which column; a column that only one of them has differs in all.

    Numbers are held against each other bit by bit, so that 0 and -0 differ; what is missing equals what is missing.

    >>> one = {"a": np.array([1.0, np.nan]), "b": np.array([1, 2])}
    >>> differing(one, one | {"b": np.array([1, 3])})
    {'b': 1}
    """
    found = {name: _rows(one.get(name), other.get(name)) for name in dict.fromkeys([*one, *other])}
    return {name: rows for name, rows in found.items() if rows}


def _columns(view: View, known: AsOf) -> dict[str, np.ndarray]:
    return {str(name): np.atleast_1d(np.asarray(column)) for name, column in dict(view(known)).items()}


def _length(columns: Mapping[str, np.ndarray]) -> int:
    return max((len(column) for column in columns.values()), default=0)


def _rows(one: Any, other: Any) -> int:
    if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
        return max(1 if each is None else len(each) for each in (one, other))
    return int(np.count_nonzero(_comparable(one) != _comparable(other)))


def _comparable(values: np.ndarray) -> np.ndarray:
    """Numbers as bits, and all that is missing alike."""
    if values.dtype.kind == "f":
        return np.where(np.isnan(values), np.nan, values).astype(values.dtype).view(f"u{values.dtype.itemsize}")
    missing = pd.isna(values)
    return np.where(missing, np.array(None), values) if values.dtype.kind == "O" or missing.any() else values
