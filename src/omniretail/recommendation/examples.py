"""Lists of a few customers with the names of products, so that models can be compared customer by customer."""

import numpy as np
import pandas as pd

from omniretail.metrics.ranked_lists import hits_of
from omniretail.views.fold import Fold
from omniretail.views.train import Train

N_CUSTOMERS = 200
_N_HELD_OUT = 20


def example_lists(ranked: np.ndarray, fold: Fold, k: int = 10) -> pd.DataFrame:
    """The lists of every so many judged customers, the same for every model.

    Args:
        ranked: item indices of all judged customers, best first, −1 in unused places; shape (U, N).
        fold: the judged customers.
        k: items shown of each list.

    Returns:
        At most ``N_CUSTOMERS`` rows: ``user_id``, ``recommended`` (names of up to ``k`` items), ``hits`` (whether each
        of them was held out) and ``held_out`` (names of up to 20 items).
    """
    rows = np.unique(np.linspace(0, len(fold.user_ids) - 1, min(len(fold.user_ids), N_CUSTOMERS)).astype(int))
    names, lists = item_names(fold.train), ranked[rows, :k]
    hits = hits_of(lists, fold.held_out[rows])
    held_out = [fold.held_out[[row]].indices[:_N_HELD_OUT] for row in rows]
    return pd.DataFrame(
        {
            "user_id": [str(each) for each in fold.user_ids[rows]],
            "recommended": [names[own[own >= 0]].tolist() for own in lists],
            "hits": [hit[own >= 0].tolist() for hit, own in zip(hits, lists, strict=True)],
            "held_out": [names[own].tolist() for own in held_out],
        }
    )


def item_names(train: Train) -> np.ndarray:
    """The name of each item, its id where it has none; shape (I,)."""
    ids = pd.Series(train.items.ids.astype(str)).reset_index(drop=True)
    if "name" not in train.item_table:
        return ids.to_numpy(object)
    names = pd.Series(train.item_table["name"]).reset_index(drop=True)
    return names.where(names.notna(), ids).astype(str).to_numpy(object)
