"""Attributes of offered items, and customers' past purchases by the same attributes."""

import ibis
import numpy as np
import pandas as pd
from ibis import _
from scipy import sparse

from omniretail.schema import Tables


def offer_attributes(tables: Tables, level: str) -> pd.DataFrame:
    """Number of each offer's items per attribute value.

    Args:
        tables: with ``offer_items`` and ``items``.
        level: a column of the item table.

    Returns:
        ``offer_id, attribute_value, items``, in order; items without a value are ignored.
    """
    if tables.offer_items is None or tables.items is None:
        return pd.DataFrame({"offer_id": [], "attribute_value": pd.Series([], dtype=str), "items": []})
    values = tables.items.select("item_id", attribute_value=tables.items[level].cast("string"))
    joined = tables.offer_items.select("offer_id", "item_id").distinct().join(values, "item_id")
    counted = joined.drop_null(["attribute_value"]).group_by("offer_id", "attribute_value").agg(items=_.count())
    return counted.to_pandas().sort_values(["offer_id", "attribute_value"], kind="stable", ignore_index=True)


def similarity(offered: pd.DataFrame, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Cosine between the attribute values of two offers, in [0, 1]; 0 where one of them has no items.

    Args:
        offered: from ``offer_attributes``.
        one: ids of offers; shape (P,).
        other: ids of the offers to compare with; shape (P,).

    Returns:
        Shape (P,).
    """
    offers, row = np.unique(offered.offer_id.to_numpy(), return_inverse=True)
    codes = pd.factorize(offered.attribute_value)[0]
    items = sparse.csr_array(
        (offered["items"].to_numpy(np.float64), (row, codes)), shape=(len(offers), codes.max(initial=0) + 1)
    )
    i, j = (pd.Index(offers).get_indexer(pd.Index(each)) for each in (one, other))
    cosine, present = np.zeros(len(one)), np.flatnonzero((i >= 0) & (j >= 0))
    i, j = i[present], j[present]
    squares = items.multiply(items).sum(axis=1)  # whole numbers, so exact whatever other offers there are
    cosine[present] = items[i].multiply(items[j]).sum(axis=1) / np.sqrt(squares[i] * squares[j])
    return cosine


def attribute_columns(
    lines: ibis.Table, offered: pd.DataFrame, values: list[str], sent: pd.DataFrame, level: str
) -> pd.DataFrame:
    """Shares of past lines, ``bought_share_of_…``, and of offered items, ``offered_share_of_…``, by value; per mailing.

    Args:
        lines: from ``past_lines``.
        offered: from ``offer_attributes``.
        values: all V of the item table, so that the columns depend neither on offers nor on later purchases.
        sent: N mailings.
        level: the column of the item table.

    Returns:
        float32, shape (N, 2V).
    """
    counted = lines.group_by("row", attribute_value=lines[level]).agg(n=_.count()).to_pandas()
    total = np.bincount(counted.row, counted.n, minlength=len(sent))
    column = pd.Index(values).get_indexer(counted.attribute_value)
    valued = counted[column >= 0]
    bought = np.zeros((len(sent), len(values)))
    bought[valued.row, column[column >= 0]] = valued.n / total[valued.row]
    of_offer = _wide(offered, sent.offer_id, values)
    shares = of_offer / np.maximum(of_offer.sum(axis=1, keepdims=True), 1)
    names = [f"{side}_{value}" for side in ("bought_share_of", "offered_share_of") for value in values]
    return pd.DataFrame(np.hstack([bought, shares]).astype(np.float32), columns=names)


def _wide(offered: pd.DataFrame, offers: np.ndarray | pd.Series, values: list[str]) -> np.ndarray:
    """Items of each value; shape (O, V)."""
    wide = offered.pivot_table(index="offer_id", columns="attribute_value", values="items", fill_value=0)
    return wide.reindex(index=offers, columns=values).fillna(0).to_numpy(np.float64)
