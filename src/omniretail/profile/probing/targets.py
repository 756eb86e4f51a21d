"""Questions with their labels: attributes of customers, and what customers do in the window after a cutoff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.ids import Vocabulary

_MAX_NUMBERS = 10
"""An attribute with more different numbers is a question about its quarters."""


@dataclass(frozen=True)
class Target:
    """One question with its labels.

    Attributes:
        name: of the question, e.g. ``age``.
        kind: ``attribute`` (does not change over time), ``event`` (happens in the window) or ``amount`` (a number in
            the window).
        classes: T names, one per column of ``truth``.
        truth: 0 or 1 for attributes and events, the number for amounts; float64, NaN rows where unknown; shape (U, T).
        left_out: reasons why labels or classes are missing, counted.
    """

    name: str
    kind: Literal["attribute", "event", "amount"]
    classes: list[str]
    truth: np.ndarray
    left_out: Mapping[str, int]

    @property
    def labelled(self) -> np.ndarray:
        """Rows of the customers whose label is known; shape (N,)."""
        return np.flatnonzero(~np.isnan(self.truth).any(axis=1))


def attribute_targets(users: pd.DataFrame | None, columns: Mapping[str, str], min_customers: int) -> list[Target]:
    """Columns of the users table as questions, one class per value.

    Args:
        users: one row per customer, in order; None: no attributes are known.
        columns: name of the question -> column; columns that the table lacks are passed over.
        min_customers: values that fewer customers have are left out, together with those customers.
    """
    if users is None:
        return []
    present = {name: users[column] for name, column in columns.items() if column in users}
    return [_attribute(name, _categories(column), min_customers) for name, column in present.items()]


def behaviour_targets(
    window: ibis.Table, users: Vocabulary, items: pd.DataFrame, levels: Mapping[str, str], min_buyers: int
) -> list[Target]:
    """What customers do in the window: churn, spend, and buy each value of an item attribute.

    Args:
        window: the events in it.
        users: everybody who had an event before it, in order.
        items: the items table, ``item_id`` first.
        levels: name of the question -> column of the items table.
        min_buyers: values that fewer customers buy, or fewer do not buy, in the window are left out.
    """
    active = window.select("user_id").distinct().to_pandas()
    churned = np.ones((len(users), 1))
    churned[_rows(users, active.user_id)] = 0.0
    targets = [Target("churn", "event", ["stays away"], churned, {})]
    if "value" in window.columns:
        targets.append(_spend(window, users))
    bought = window.select("user_id", "item_id").distinct().to_pandas()
    by_item = items.set_index("item_id")
    return targets + [
        _purchases(name, bought, users, pd.Series(by_item[column]), min_buyers)
        for name, column in levels.items()
        if column in items
    ]


def _categories(column: Any) -> pd.Series:
    """The column, or quarters of it where it holds many different numbers."""
    if not pd.api.types.is_numeric_dtype(column) or column.nunique() <= _MAX_NUMBERS:
        return column
    quarters: Any = pd.qcut(column.astype(float), 4, duplicates="drop")
    edges = [f"{each.left:,.6g} to {each.right:,.6g}" for each in quarters.cat.categories]
    return quarters.cat.rename_categories(edges).astype(object)


def _attribute(name: str, column: pd.Series, min_customers: int) -> Target:
    values = column.astype(object)
    counts = values.value_counts()
    classes = sorted(counts.index[(counts >= min_customers).to_numpy()], key=str)
    labelled = values.isin(classes).to_numpy()
    one_hot = values.to_numpy()[:, None] == np.array(classes, dtype=object)[None, :]
    rare = int(values.notna().sum() - labelled.sum())
    return Target(
        name,
        "attribute",
        list(map(str, classes)),
        np.where(labelled[:, None], one_hot, np.nan).astype(float),
        {"unknown": int(values.isna().sum())} | ({f"in a class of fewer than {min_customers}": rare} if rare else {}),
    )


def _spend(window: ibis.Table, users: Vocabulary) -> Target:
    paid = window.group_by("user_id").agg(value=_.value.sum()).to_pandas()
    spend = np.zeros((len(users), 1))
    with_history = users.encode(paid.user_id) >= 0
    spend[_rows(users, paid.user_id), 0] = paid.value.fillna(0.0)[with_history]
    return Target("spend", "amount", ["paid"], spend, {})


def _purchases(name: str, bought: pd.DataFrame, users: Vocabulary, value_of: pd.Series, min_buyers: int) -> Target:
    row, value = users.encode(bought.user_id), bought.item_id.map(value_of.dropna().astype(str))
    usable = (row >= 0) & value.notna().to_numpy()
    code, names = pd.factorize(value[usable], sort=True)
    truth = np.zeros((len(users), len(names)))
    truth[row[usable], code] = 1.0
    n = truth.sum(axis=0)
    frequent = (n >= min_buyers) & (n <= len(users) - min_buyers)
    rare = {"classes that too few or nearly all customers buy": int((~frequent).sum())} if (~frequent).any() else {}
    return Target(name, "event", [str(each) for each in names[frequent]], truth[:, frequent], rare)


def _rows(users: Vocabulary, ids: pd.Series) -> np.ndarray:
    rows = users.encode(ids)
    return rows[rows >= 0]
