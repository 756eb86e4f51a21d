"""What probes ask for: facts about customers, and what they do in the window after the cutoff."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import ibis
import numpy as np
import pandas as pd
from ibis import _

from omniretail.ids import Vocabulary


@dataclass(frozen=True)
class Target:
    """One question about customers.

    Attributes:
        name: e.g. ``age``.
        kind: ``fact`` (true at any time), ``event`` (happens in the window) or ``amount`` (a number in the window).
        classes: T names, one per column of ``truth``.
        truth: 0 or 1 for facts and events, the number for amounts; float64, NaN rows where not known; shape (U, T).
        left_out: why answers are missing, counted.
    """

    name: str
    kind: Literal["fact", "event", "amount"]
    classes: list[str]
    truth: np.ndarray
    left_out: Mapping[str, int]

    @property
    def known(self) -> np.ndarray:
        """Rows of customers whose answer is known; shape (N,)."""
        return np.flatnonzero(~np.isnan(self.truth).any(axis=1))


def facts(users: pd.DataFrame | None, columns: Mapping[str, str], at_least: int) -> list[Target]:
    """Each column of the user table as a question with one class per word.

    Args:
        users: one row per customer, in order; None: nothing is known.
        columns: name of the question -> column.
        at_least: words that fewer customers have are left out of their question, with those customers.
    """
    if users is None:
        return []
    return [_fact(name, pd.Series(users[column]), at_least) for name, column in columns.items() if column in users]


def _fact(name: str, column: pd.Series, at_least: int) -> Target:
    words = column.astype(object)
    counts = words.value_counts()
    kept = sorted(counts.index[(counts >= at_least).to_numpy()], key=str)
    known = words.isin(kept).to_numpy()
    truth = np.where(known[:, None], words.to_numpy()[:, None] == np.array(kept, dtype=object)[None, :], np.nan)
    rare = int(words.notna().sum() - known.sum())
    return Target(
        name,
        "fact",
        list(map(str, kept)),
        truth.astype(float),
        {"not said": int(words.isna().sum())} | ({f"in a class of fewer than {at_least}": rare} if rare else {}),
    )


def behaviour(
    window: ibis.Table, users: Vocabulary, items: pd.DataFrame, levels: Mapping[str, str], at_least: int
) -> list[Target]:
    """What customers do in the window: stay away, spend, and buy per word of an item attribute.

    Args:
        window: the events in it.
        users: everybody who had an event before it, in order.
        items: the item table, ``item_id`` first.
        levels: name of the question -> column of the item table.
        at_least: words that fewer customers buy, or fewer do not buy, in the window are left out of their question.
    """
    seen = window.select("user_id").distinct().to_pandas()
    came = np.zeros((len(users), 1))
    came[_rows(users, seen.user_id)] = 1.0
    found = [Target("churn", "event", ["stays away"], 1.0 - came, {})]
    if "value" in window.columns:
        paid = window.group_by("user_id").agg(value=_.value.sum()).to_pandas()
        spend = np.zeros((len(users), 1))
        known = users.encode(paid.user_id) >= 0
        spend[_rows(users, paid.user_id), 0] = paid.value.fillna(0.0)[known]
        found.append(Target("spend", "amount", ["paid"], spend, {}))
    bought = window.select("user_id", "item_id").distinct().to_pandas()
    return found + [
        _bought(name, bought, users, pd.Series(items.set_index("item_id")[column]), at_least)
        for name, column in levels.items()
        if column in items
    ]


def _bought(name: str, bought: pd.DataFrame, users: Vocabulary, word_of: pd.Series, at_least: int) -> Target:
    words = word_of.dropna().astype(str)
    row, word = users.encode(bought.user_id), bought.item_id.map(words)
    known = (row >= 0) & word.notna().to_numpy()
    code, names = pd.factorize(word[known], sort=True)
    truth = np.zeros((len(users), len(names)))
    truth[row[known], code] = 1.0
    n = truth.sum(axis=0)
    kept = (n >= at_least) & (n <= len(users) - at_least)
    rare = {"words that too few or nearly all buy": int((~kept).sum())} if (~kept).any() else {}
    return Target(name, "event", [str(each) for each in names[kept]], truth[:, kept], rare)


def _rows(users: Vocabulary, ids: pd.Series) -> np.ndarray:
    rows = users.encode(ids)
    return rows[rows >= 0]
