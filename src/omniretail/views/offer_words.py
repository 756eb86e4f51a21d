"""What offers are made of, in words of the item table; and customers' pasts in the same words."""

import ibis
import numpy as np
import pandas as pd
from ibis import _

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


def likeness(words: pd.DataFrame, offers: np.ndarray) -> pd.DataFrame:
    """Cosine between offers' words, in [0, 1]; indexed and named by offer, nought for one without items.

    Args:
        words: from ``offer_words``.
        offers: all ids, distinct; shape (O,).
    """
    matrix = _wide(words, offers, sorted(set(words.word)))
    products = matrix @ matrix.T  # of whole numbers, so exact whatever other offers there are
    length = np.sqrt(np.outer(np.diag(products), np.diag(products)))
    alike = np.divide(products, length, out=np.zeros_like(products), where=length > 0)
    return pd.DataFrame(alike, index=offers, columns=offers)


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
