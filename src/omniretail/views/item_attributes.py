"""Attributes of items and their price bands, as indices."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.views.train import Train

PRICE_BAND = "price_band"
_BANDS = np.array(["low", "middle", "high"])


def item_attributes(train: Train, levels: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Values of item attributes and of the price band.

    Args:
        train: with the item table, and prices where there are any.
        levels: columns of the item table, coarse to fine; those that it lacks are ignored.

    Returns:
        Names of the levels (L,), values of all levels (V,), the level of each value (V,), and the index of each item's
        value on each level, -1 where it has none, (I, L).
    """
    columns = {name: _column(pd.Series(train.item_table[name])) for name in levels if name in train.item_table}
    bands = _price_bands(train)
    if bands is not None:
        columns[PRICE_BAND] = bands
    values, value_level, codes = [np.zeros(0, dtype=np.str_)], [], []
    for number, column in enumerate(columns.values()):
        code, distinct = pd.factorize(column, sort=True)
        codes.append(np.where(code >= 0, code + sum(map(len, values)), -1))
        values.append(np.array(distinct, dtype=np.str_))
        value_level += [number] * len(distinct)
    item_values = np.stack(codes, axis=1) if codes else np.zeros((len(train.items), 0))
    return (
        np.array(list(columns), dtype=np.str_),
        np.concatenate(values),
        np.array(value_level, dtype=np.int32),
        item_values.astype(np.int32),
    )


def _column(values: pd.Series) -> np.ndarray:
    return np.array([None if pd.isna(value) else str(value) for value in values], dtype=object)


def _price_bands(train: Train) -> np.ndarray | None:
    """The third in which an item's mean price lies among items of its category, or of all items without one."""
    histories = train.histories
    price = histories.value / np.where(histories.quantity > 0, histories.quantity, np.nan)
    priced = np.isfinite(price)
    if not priced.any():
        return None
    item = histories.item_idx[priced]
    n = np.bincount(item, minlength=len(train.items))
    total = np.bincount(item, weights=price[priced], minlength=len(train.items))
    mean = pd.Series(np.where(n > 0, total / np.maximum(n, 1), np.nan))
    category = train.item_table["category"] if "category" in train.item_table else pd.Series("", index=mean.index)
    rank = mean.groupby(category.fillna("").to_numpy()).rank(pct=True, method="average")
    band = np.minimum((rank.fillna(0).to_numpy() * 3).astype(int), 2)
    bands = _BANDS[band].astype(object)
    bands[rank.isna().to_numpy()] = None
    return bands
