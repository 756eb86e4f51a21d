"""What customers buy: shares of departments and categories, and the most bought products."""

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
_KIND = "\x1f"  # separates a product's name from its category


@dataclass(frozen=True)
class Share:
    """One department, category or product.

    Attributes:
        name: for people.
        share: of the lines of the customers described, 0..1.
        everybody: the same of all customers.
        visits: of the customers described on which it was bought.
        buyers: how many of the customers described bought it.
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
    """What the customers bought, by value of a column of the items table, in the values' order.

    Args:
        train: of all customers.
        users: histories of the customers described.
        level: the column; where the table lacks it nothing is returned, and products are named by their id.
    """
    if level not in (PRODUCT, *train.item_table):
        return []
    code, values = pd.factorize(_values(train, level), sort=True)
    own, all_ = (_lines(code[histories.item_idx], len(values)) for histories in (users, train.histories))
    bought = code[users.item_idx]
    visits = _distinct(users.rows * (int(users.basket.max(initial=0)) + 1) + users.basket, bought, len(values))
    buyers = _distinct(users.rows, bought, len(values))
    columns = [part.tolist() for part in (own, all_, visits, buyers)]
    named = (str(value).partition(_KIND) for value in values)
    rows = zip(named, *columns, strict=True)
    return [Share(name, *figures, kind=kind) for (name, _, kind), *figures in rows if figures[0] > 0]


def largest(all_shares: Sequence[Share], n: int) -> list[Share]:
    """Those with the largest share; ties stay in order."""
    return sorted(all_shares, key=lambda each: -each.share)[:n]


def most_bought(all_shares: Sequence[Share], n: int) -> list[Share]:
    """Those on the most visits; ties are ordered by lines."""
    return sorted(all_shares, key=lambda each: (-each.visits, -each.share))[:n]


def typical(all_shares: Sequence[Share], n: int, min_buyers: int, min_share: float) -> list[Share]:
    """Those that distinguish the customers described from all customers: a larger share, and enough of it to matter.

    Ordered by their part of the Kullback-Leibler divergence, ``share * log(share / everybody)``, so that neither what
    everybody buys nor what is rare comes first.
    """
    over = [e for e in all_shares if e.share >= min_share and e.lift >= _LIFT and e.buyers >= min_buyers]
    return sorted(over, key=lambda each: -each.share * log(each.lift))[:n]


def _values(train: Train, level: str) -> np.ndarray:
    """Each item's value, None where it has none; shape (I,)."""
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
    """Share of lines of each value; shape (n,)."""
    counted = np.bincount(code[code >= 0], minlength=n)
    return counted / max(counted.sum(), 1)


def _distinct(group: np.ndarray, code: np.ndarray, n: int) -> np.ndarray:
    """In how many groups each value occurs; shape (n,)."""
    named = code >= 0
    pairs = np.unique(group[named].astype(np.int64) * max(n, 1) + code[named])
    return np.bincount(pairs % max(n, 1), minlength=n)
