"""Who resembles whom: the k most similar, found block by block so that memory stays bounded."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

from omniretail.models.top_k import top_k

_THREADS = os.cpu_count() or 1
_BLOCK = 1024


def similar_items(user_items: sparse.csr_array, k: int, shrinkage: float = 0.0) -> sparse.csr_array:
    """The k other items most similar to each by the shrunk cosine ``x_i . x_j / (|x_i| |x_j| + shrinkage)``.

    Only a few blocks of products are in memory at a time.

    Args:
        user_items: weights, positive where stored; shape (U, I).
        k: neighbours kept per item, of those that share a user with it; ties by index.
        shrinkage: pulls similarities that few users support towards 0.

    Returns:
        Row i holds the neighbours of item i; shape (I, I).
    """
    item_users = user_items.T.tocsr()  # (I, U)
    norms = np.sqrt(user_items.power(2).sum(axis=0))  # (I,)

    def block(start: int) -> sparse.csr_array:
        rows = slice(start, start + _BLOCK)
        products = item_users[rows] @ user_items  # (b, I)
        lengths = np.repeat(norms[rows], np.diff(products.indptr)) * norms[products.indices]
        products.data /= lengths + np.float32(shrinkage)
        return most_similar(products, np.arange(start, start + len(products.indptr) - 1), k)

    with ThreadPoolExecutor(_THREADS) as pool:  # SciPy sets the interpreter free while it multiplies
        blocks = list(pool.map(block, range(0, len(norms), _BLOCK)))
    return sparse.csr_array(sparse.vstack(blocks))


def most_similar(similarity: sparse.csr_array, own: np.ndarray, k: int) -> sparse.csr_array:
    """The k largest of what each row stores, but for its own column; ties by index.

    Args:
        similarity: shape (B, N).
        own: the column that is the row itself, -1 where none is; shape (B,).
        k: kept per row; fewer where fewer are stored.

    Returns:
        The similarities kept; shape (B, N).
    """
    ends = zip(similarity.indptr[:-1], similarity.indptr[1:], own, strict=True)
    best = [_best(similarity.indices[a:b], similarity.data[a:b], itself, k) for a, b, itself in ends]
    offsets = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in best])]).astype(np.int32)
    columns, values = (np.concatenate(parts) for parts in zip(*best, strict=True))
    return sparse.csr_array((values, columns, offsets), shape=similarity.shape)


def nearest_users(similarity: np.ndarray, user_idx: np.ndarray, k: int) -> sparse.csr_array:
    """The k training users most similar to each of B users, who are not their own neighbours; ties by index.

    Args:
        similarity: to every training user; overwritten at the users' own place; shape (B, U).
        user_idx: the training user behind each row, -1 for none; shape (B,).
        k: neighbours kept; fewer where there are not so many training users.

    Returns:
        The similarities kept; shape (B, U).
    """
    known = np.flatnonzero(user_idx >= 0)
    similarity[known, user_idx[known]] = -np.inf
    columns, best = top_k(similarity, min(k, similarity.shape[1]))  # (B, k)
    kept = columns >= 0
    offsets = np.concatenate([[0], np.cumsum(kept.sum(axis=1))])
    return sparse.csr_array((best[kept], columns[kept], offsets), shape=similarity.shape)


def rarity(count: np.ndarray, total: int) -> np.ndarray:
    """The logarithm of ``1 + total / count``: how much it says to have what ``count`` of ``total`` have. As count."""
    return np.log1p(total / np.maximum(count, 1)).astype(np.float32)


def _best(columns: np.ndarray, values: np.ndarray, own: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    other = columns != own
    columns, values = columns[other], values[other]
    if len(values) > k:
        kept = values >= -np.partition(-values, k - 1)[k - 1]  # from the front: far faster where many are tied
        columns, values = columns[kept], values[kept]
    order = np.lexsort((columns, -values))[:k]
    return columns[order], values[order]
