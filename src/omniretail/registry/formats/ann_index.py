"""An index of item vectors by inner product, and its recall of the exact search."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omniretail.models.top_k import batches, top_k
from omniretail.serving.ann_index import INDEX, Index, search, usearch

_KS = (10, 100)
_MEASURED = 10_000
_MEMORY_MB = 256


@dataclass(frozen=True)
class IndexSettings:
    """Of the graph of neighbours (HNSW; Malkov and Yashunin, TPAMI 2018).

    Attributes:
        connectivity: neighbours of each item.
        expansion_add: candidates when an item is added.
        expansion_search: candidates of a search; more give a higher recall and take longer. The index's file does not
            hold it, so ``open_index`` sets it again.
    """

    connectivity: int = 32
    expansion_add: int = 128
    expansion_search: int = 256


def write_index(folder: Path, items: np.ndarray, users: np.ndarray, settings: IndexSettings) -> dict[str, Any]:
    """Write the index, and compare its search with the exact one.

    It is built on one thread, so that the same vectors give the same index.

    Args:
        folder: gets ``items.usearch``.
        items: float32, shape (I, D).
        users: vectors to measure with, a sample of them where there are many; float32, shape (U, D).
        settings: of the index.

    Returns:
        The settings, and ``recall_at_10`` and ``recall_at_100``: the mean share of the k items with the largest product
        that the index returns; None without users.
    """
    index = Index(
        ndim=items.shape[1],
        metric="ip",
        dtype="f32",
        connectivity=settings.connectivity,
        expansion_add=settings.expansion_add,
        expansion_search=settings.expansion_search,
    )
    index.add(np.arange(len(items), dtype=np.uint64), items, threads=1)
    index.save(str(folder / INDEX))
    if len(users) > _MEASURED:
        users = users[np.sort(np.random.default_rng(0).choice(len(users), _MEASURED, replace=False))]
    recalls = {f"recall_at_{k}": recall(index, items, users, k) for k in _KS if k <= len(items)}
    return {
        "library": f"usearch {usearch.__version__}",
        "metric": "inner product",
        "keys": "row numbers of items.parquet, from 0",
        "n_items": len(items),
        "dim": items.shape[1],
        **asdict(settings),
        "users_measured": len(users),
        **recalls,
    }


def recall(index: Index, items: np.ndarray, users: np.ndarray, k: int) -> float | None:
    """Mean share of the k best items that a search for k returns; of equals at the end any counts. None: no users."""
    hits = 0
    for rows in batches(len(users), len(items), _MEMORY_MB):
        scores = users[rows] @ items.T  # (B, I)
        _, best = top_k(scores, k)
        keys, filled = search(index, users[rows], k)
        own = np.take_along_axis(scores, np.where(filled, keys, 0), axis=1)
        hits += int(((own >= best[:, -1:]) & filled).sum())
    return hits / (len(users) * k) if len(users) else None
