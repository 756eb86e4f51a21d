"""What customers buy: their shares of the departments and categories, and the products they take most."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np
import pandas as pd

from omniretail.views.histories import Histories
from omniretail.views.train import Train

LEVELS = ("department", "category")
"""Columns of the item table that a card shows."""
PRODUCT = "name"
"""The item table's names of products; items of one name and category count as one product."""
_NEVER, _LIFT = 1e-12, 1.05
_KIND = "\x1f"  # stands between a product's name and its category


@dataclass(frozen=True)
class Share:
    """One department, category or product.

    Attributes:
        name: for people.
        share: of the lines of those portrayed, 0..1.
        everybody: the same of all customers.
        visits: of those portrayed on which it was bought.
        buyers: how many of those portrayed bought it.
        kind: a product's category; empty where it has none.
    """

    name: str
    share: float
    everybody: float
    visits: int
    buyers: int
    kind: str = ""

    @property
    def lift(self) -> float:
        """How many times everybody's share it is."""
        return self.share / max(self.everybody, _NEVER)


def shares(train: Train, users: Histories, level: str) -> list[Share]:
    """What the customers bought, by the words of a column of the item table; in the words' order.

    Args:
        train: everybody.
        users: histories of those portrayed.
        level: the column; nothing is returned where the table has none, but products without a name go by their id.
    """
    if level not in (PRODUCT, *train.item_table):
        return []
    code, words = pd.factorize(_words(train, level), sort=True)
    own, all_ = (_lines(code[histories.item_idx], len(words)) for histories in (users, train.histories))
    bought = code[users.item_idx]
    visits = _distinct(users.rows * (int(users.basket.max(initial=0)) + 1) + users.basket, bought, len(words))
    buyers = _distinct(users.rows, bought, len(words))
    columns = [part.tolist() for part in (own, all_, visits, buyers)]
    named = (str(word).partition(_KIND) for word in words)
    rows = zip(named, *columns, strict=True)
    return [Share(name, *figures, kind=kind) for (name, _, kind), *figures in rows if figures[0] > 0]


def largest(found: Sequence[Share], n: int) -> list[Share]:
    """Those with the largest share; in their own order among equals."""
    return sorted(found, key=lambda each: -each.share)[:n]


def most_bought(found: Sequence[Share], n: int) -> list[Share]:
    """Those on the most visits, among equals those with the most lines."""
    return sorted(found, key=lambda each: (-each.visits, -each.share))[:n]


def typical(found: Sequence[Share], n: int, min_buyers: int, min_share: float) -> list[Share]:
    """Those that tell the portrayed from everybody: a larger share, and enough of it to matter.

    Ordered by their part of the Kullback-Leibler divergence, ``share * log(share / everybody)``, so that neither what
    is large everywhere nor what is rare everywhere comes first.
    """
    found = [each for each in found if each.share >= min_share]
    over = [each for each in found if each.lift >= _LIFT and each.buyers >= min_buyers]
    return sorted(over, key=lambda each: -each.share * log(each.lift))[:n]


def _words(train: Train, level: str) -> np.ndarray:
    """Each item's word, None where it has none; shape (I,)."""
    items = train.item_table
    own = items[level].astype(object).where(items[level].notna(), None) if level in items else None
    if level != PRODUCT:
        assert own is not None
        return own.to_numpy(dtype=object)
    by_id = "item " + items["item_id"].astype(str).astype(object)
    named = by_id if own is None else own.where(own.notna(), by_id)
    kind = items["category"].astype(object).fillna("") if "category" in items else ""
    return (named + _KIND + kind).to_numpy(dtype=object)


def _lines(code: np.ndarray, n: int) -> np.ndarray:
    """Share of lines of each word; shape (n,)."""
    counted = np.bincount(code[code >= 0], minlength=n)
    return counted / max(counted.sum(), 1)


def _distinct(group: np.ndarray, code: np.ndarray, n: int) -> np.ndarray:
    """In how many groups each word occurs; shape (n,)."""
    known = code >= 0
    pairs = np.unique(group[known].astype(np.int64) * max(n, 1) + code[known])
    return np.bincount(pairs % max(n, 1), minlength=n)
