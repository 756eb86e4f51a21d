"""What offers are made of, in words of the item table; and customers' pasts in the same words."""

import ibis
import numpy as np
import pandas as pd
from ibis import _
from scipy import sparse

from omniretail.schema import Tables


def offer_words(tables: Tables, level: str) -> pd.DataFrame:
    """How many of each offer's items have a word.

    Returns:
        ``offer_id, word, items``, in order; items without a word are passed over.
    """
    if tables.offer_items is None or tables.items is None:
        return pd.DataFrame({"offer_id": [], "word": pd.Series([], dtype=str), "items": []})
    words = tables.items.select("item_id", word=tables.items[level].cast("string"))
    joined = tables.offer_items.select("offer_id", "item_id").distinct().join(words, "item_id")
    counted = joined.drop_null(["word"]).group_by("offer_id", "word").agg(items=_.count()).to_pandas()
    return counted.sort_values(["offer_id", "word"], kind="stable", ignore_index=True)


def similarity(words: pd.DataFrame, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine between the words of two offers, in [0, 1]; nought where one of them has no items.

    Args:
        words: from ``offer_words``.
        one: ids of offers; shape (P,).
        other: ids of those to compare with; shape (P,).

    Returns:
        Shape (P,).
    """
    offers, row = np.unique(words.offer_id.to_numpy(), return_inverse=True)
    codes = pd.factorize(words.word)[0]
    items = sparse.csr_array(
        (words["items"].to_numpy(np.float64), (row, codes)), shape=(len(offers), codes.max(initial=0) + 1)
    )
    i, j = (pd.Index(offers).get_indexer(pd.Index(each)) for each in (one, other))
    alike, known = np.zeros(len(one)), np.flatnonzero((i >= 0) & (j >= 0))
    i, j = i[known], j[known]
    squares = items.multiply(items).sum(axis=1)  # whole numbers, so exact whatever other offers there are
    alike[known] = items[i].multiply(items[j]).sum(axis=1) / np.sqrt(squares[i] * squares[j])
    return alike


def word_columns(
    lines: ibis.Table, offered: pd.DataFrame, words: list[str], sent: pd.DataFrame, level: str
) -> pd.DataFrame:
    """Per mailing the share of past lines, ``bought_word_…``, and of offered items, ``offered_word_…``, in each word.

    Args:
        lines: from ``past_lines``.
        offered: from ``offer_words``.
        words: all W of the item table, so that the columns depend neither on offers nor on purchases to come.
        sent: N mailings.
        level: the column.

    Returns:
        float32, shape (N, 2W).
    """
    counted = lines.group_by("row", word=lines[level]).agg(n=_.count()).to_pandas()
    total = np.bincount(counted.row, counted.n, minlength=len(sent))
    column = pd.Index(words).get_indexer(counted.word)
    known = counted[column >= 0]
    bought = np.zeros((len(sent), len(words)))
    bought[known.row, column[column >= 0]] = known.n / total[known.row]
    of_offer = _wide(offered, sent.offer_id, words)
    shares = of_offer / np.maximum(of_offer.sum(axis=1, keepdims=True), 1)
    names = [f"{side}_{word}" for side in ("bought_word", "offered_word") for word in words]
    return pd.DataFrame(np.hstack([bought, shares]).astype(np.float32), columns=names)


def _wide(offered: pd.DataFrame, offers: np.ndarray | pd.Series, words: list[str]) -> np.ndarray:
    """Items of each word; shape (O, W)."""
    wide = offered.pivot_table(index="offer_id", columns="word", values="items", fill_value=0)
    return wide.reindex(index=offers, columns=words).fillna(0).to_numpy(np.float64)
