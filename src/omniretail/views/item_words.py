"""What the item table says of each item, level by level, as numbers of words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from omniretail.views.train import Train

PRICE_BAND = "price_band"
_BANDS = np.array(["low", "middle", "high"])


def item_words(train: Train, levels: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Words of the attributes and of the price band.

    Args:
        train: with the item table, and prices where there are any.
        levels: columns of the item table, coarse to fine; those it lacks are passed over.

    Returns:
        Names of the levels (L,), words of all levels (W,), the level of each word (W,), and each item's word on each
        level, -1 where it has none, (I, L).
    """
    columns = {name: _column(pd.Series(train.item_table[name])) for name in levels if name in train.item_table}
    bands = _price_bands(train)
    if bands is not None:
        columns[PRICE_BAND] = bands
    words, level, codes = [np.zeros(0, dtype=np.str_)], [], []
    for number, values in enumerate(columns.values()):
        code, known = pd.factorize(values, sort=True)
        codes.append(np.where(code >= 0, code + sum(map(len, words)), -1))
        words.append(np.array(known, dtype=np.str_))
        level += [number] * len(known)
    item_word = np.stack(codes, axis=1) if codes else np.zeros((len(train.items), 0))
    return (
        np.array(list(columns), dtype=np.str_),
        np.concatenate(words),
        np.array(level, dtype=np.int32),
        item_word.astype(np.int32),
    )


def _column(values: pd.Series) -> np.ndarray:
    return np.array([None if pd.isna(word) else str(word) for word in values], dtype=object)


def _price_bands(train: Train) -> np.ndarray | None:
    """The third in which an item's mean price lies, among items of its category, or of the shop where it has none."""
    histories = train.histories
    price = histories.value / np.where(histories.quantity > 0, histories.quantity, np.nan)
    known = np.isfinite(price)
    if not known.any():
        return None
    item = histories.item_idx[known]
    n = np.bincount(item, minlength=len(train.items))
    total = np.bincount(item, weights=price[known], minlength=len(train.items))
    mean = pd.Series(np.where(n > 0, total / np.maximum(n, 1), np.nan))
    kind = train.item_table["category"] if "category" in train.item_table else pd.Series("", index=mean.index)
    rank = mean.groupby(kind.fillna("").to_numpy()).rank(pct=True, method="average")
    band = np.minimum((rank.fillna(0).to_numpy() * 3).astype(int), 2)
    words = _BANDS[band].astype(object)
    words[rank.isna().to_numpy()] = None
    return words
