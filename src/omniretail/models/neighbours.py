"""The k most similar items or users, block by block so that memory stays bounded."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import sparse

from omniretail.core.threads import n_threads
from omniretail.models.top_k import top_k

_BLOCK = 1024


def similar_items(user_items: sparse.csr_array, k: int, shrinkage: float = 0.0) -> sparse.csr_array:
    """The k other items most similar to each by the shrunk cosine ``x_i . x_j / (|x_i| |x_j| + shrinkage)``.

    Only a few blocks of products are in memory at a time.

    Args:
        user_items: weights, all stored ones positive; shape (U, I).
        k: neighbours per item, among those that share a user with it; ties by index.
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

    with ThreadPoolExecutor(n_threads()) as pool:  # SciPy releases the interpreter lock while it multiplies
        blocks = list(pool.map(block, range(0, len(norms), _BLOCK)))
    return sparse.csr_array(sparse.vstack(blocks))


def most_similar(similarity: sparse.csr_array, own: np.ndarray, k: int) -> sparse.csr_array:
    """The k largest entries of each row, its own column excluded; ties by index.

    Args:
        similarity: shape (B, N).
        own: the column that is the row itself, -1 where none is; shape (B,).
        k: entries per row; fewer where the row has fewer.

    Returns:
        Those similarities; shape (B, N).
    """
    ends = zip(similarity.indptr[:-1], similarity.indptr[1:], own, strict=True)
    best = [_best(similarity.indices[a:b], similarity.data[a:b], column, k) for a, b, column in ends]
    offsets = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in best])]).astype(np.int32)
    columns, values = (np.concatenate(parts) for parts in zip(*best, strict=True))
    return sparse.csr_array((values, columns, offsets), shape=similarity.shape)


def nearest_users(similarity: np.ndarray, user_idx: np.ndarray, k: int) -> sparse.csr_array:
    """The k training users most similar to each of B users, who are not their own neighbours; ties by index.

    Args:
        similarity: to every training user; overwritten in the users' own columns; shape (B, U).
        user_idx: the training user of each row, -1 for none; shape (B,).
        k: neighbours; fewer where there are fewer training users.

    Returns:
        Their similarities; shape (B, U).
    """
    in_training = np.flatnonzero(user_idx >= 0)
    similarity[in_training, user_idx[in_training]] = -np.inf
    columns, best = top_k(similarity, min(k, similarity.shape[1]))  # (B, k)
    used = columns >= 0
    offsets = np.concatenate([[0], np.cumsum(used.sum(axis=1))])
    return sparse.csr_array((best[used], columns[used], offsets), shape=similarity.shape)


def rarity(count: np.ndarray, total: int) -> np.ndarray:
    """Inverse document frequency ``log(1 + total / count)``; float32, shape as count."""
    return np.log1p(total / np.maximum(count, 1)).astype(np.float32)


def candidate_products(
    item_users: sparse.csr_array, candidates: list[np.ndarray], first: int
) -> tuple[np.ndarray, np.ndarray]:
    """Inner products of the candidates of b items with each other, and with the item itself; 0 where there are fewer.

    Args:
        item_users: shape (I, U).
        candidates: items, of each of the b.
        first: index of the first of these items, which follow one another.

    Returns:
        Two: shapes (k, b, k) and (b, k), k the largest number of candidates.
    """
    k = max(map(len, candidates))
    products = np.zeros((k, len(candidates), k), dtype=np.float32)
    targets = np.zeros((len(candidates), k), dtype=np.float32)
    for place, own in enumerate(candidates):
        n = len(own)
        vectors = item_users[np.append(own, first + place)]  # (n + 1, U)
        block = (vectors @ vectors.T).toarray()
        products[:n, place, :n], targets[place, :n] = block[:n, :n], block[n, :n]
    return products, targets


def _best(columns: np.ndarray, values: np.ndarray, own: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    other = columns != own
    columns, values = columns[other], values[other]
    if len(values) > k:
        high = values >= -np.partition(-values, k - 1)[k - 1]  # negated: far faster where many are tied
        columns, values = columns[high], values[high]
    order = np.lexsort((columns, -values))[:k]
    return columns[order], values[order]
