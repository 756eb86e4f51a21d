"""From scores to lists: batches, policy, fallback, the top k."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from omniretail.models.protocols import Recommender
from omniretail.views.histories import Histories

Policy = Callable[[np.ndarray, Histories], np.ndarray]
"""Takes scores (B, I) and the users; returns the scores with what must not be shown at -inf (in place is fine)."""

_THREADS = 2


def recommend(
    model: Recommender,
    users: Histories,
    k: int,
    policy: Policy | None = None,
    fallback: np.ndarray | None = None,
    memory_mb: int = 256,
) -> tuple[np.ndarray, np.ndarray]:
    """The k best items of every user.

    Args:
        model: fitted.
        users: histories of U users.
        k: list length, in items.
        policy: constraints on what may be shown; None: none.
        fallback: scores for users without any history, shape (I,), e.g. popularity; None: the model's own.
        memory_mb: bound on one batch of scores, in MiB.

    Returns:
        Item indices, best first, ties by index, -1 where the policy leaves fewer than k; and their scores. Both (U, k).

    Raises:
        ValueError: where k exceeds the catalogue, or the model gives scores that are not finite.
    """
    if k > users.n_items:
        raise ValueError(f"k={k} is more than the catalogue's {users.n_items} items; ask for shorter lists")
    ranked = np.empty((len(users), k), dtype=np.int32)
    scores = np.empty((len(users), k), dtype=np.float32)
    for rows in batches(len(users), users.n_items, memory_mb):
        batch = users.take(rows)
        batch_scores = _checked(model, model.score(batch), batch)
        if fallback is not None:
            batch_scores[batch.lengths == 0] = fallback
        if policy is not None:
            batch_scores = policy(batch_scores, batch)
        ranked[rows], scores[rows] = top_k(batch_scores, k)
    return ranked, scores


def batches(n_users: int, n_items: int, memory_mb: int) -> Iterator[slice]:
    """Slices of users whose float32 scores fit the memory given (at least one user each)."""
    size = max(1, (memory_mb << 20) // (4 * n_items))
    return (slice(start, min(start + size, n_users)) for start in range(0, n_users, size))


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest of each row, best first, ties by column.

    Args:
        scores: shape (B, I), k <= I; -inf is never chosen.

    Returns:
        Columns (-1 in unused places) and their scores; both (B, k).
    """
    chunks = np.array_split(scores, _THREADS)
    with ThreadPoolExecutor(_THREADS) as pool:  # NumPy sets the interpreter free while it partitions
        parts = list(pool.map(lambda chunk: _top_k(chunk, k), chunks))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    columns = np.full((len(scores), k), -1, dtype=np.int32)
    best = np.full((len(scores), k), -np.inf, dtype=np.float32)
    if len(scores) == 0:
        return columns, best
    threshold = np.partition(scores, -k, axis=1)[:, -k, None]
    row, column = np.nonzero(scores >= threshold)  # k per row, and more where the k-th place is tied
    value = scores[row, column]
    order = np.lexsort((column, -value, row))
    row, column, value = row[order], column[order], value[order]
    place = np.arange(len(row)) - np.searchsorted(row, row)
    kept = (place < k) & (value > -np.inf)
    columns[row[kept], place[kept]] = column[kept]
    best[row[kept], place[kept]] = value[kept]
    return columns, best


def _checked(model: Recommender, scores: np.ndarray, users: Histories) -> np.ndarray:
    expected = (len(users), users.n_items)
    if scores.shape != expected:
        raise ValueError(f"{type(model).__name__}.score gave shape {scores.shape}, expected {expected}")
    broken = ~np.isfinite(scores.sum(axis=1))
    if broken.any():
        raise ValueError(
            f"{type(model).__name__} gave scores that are not finite for {broken.sum()} of {len(users)} users "
            f"(first: row {int(np.flatnonzero(broken)[0])}); lower the learning rate or raise the regularisation"
        )
    return scores
