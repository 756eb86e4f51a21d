"""From scores to lists: batches, policy, fallback, the top k."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np
from tqdm import tqdm

from omniretail.core.errors import SettingsError
from omniretail.core.threads import n_threads
from omniretail.views.histories import Histories


class Scorer(Protocol):
    """The part of a ``Recommender`` that lists need."""

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        ...


Policy = Callable[[np.ndarray, Histories], np.ndarray]
"""Takes scores (B, I) and the users; returns the scores with hidden items at -inf (in place is fine)."""

_PROGRESS_AFTER_S = 3  # shorter work needs no progress bar
_CHUNK_BYTES = 16 << 20
_ONE_THREAD_BYTES = 1 << 20


def rank_last(scores: np.ndarray, items: np.ndarray) -> np.ndarray:
    """The same scores, in place, with some items below all others: those of which a model knows nothing.

    Args:
        scores: shape (B, I).
        items: True for those; shape (I,).
    """
    if items.any():
        scores[:, items] = scores.min(axis=1, keepdims=True, initial=0) - 1
    return scores


def recommend(
    model: Scorer,
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
        SettingsError: where k exceeds the catalogue, or the model gives scores that are not finite.
    """
    if k > users.n_items:
        raise SettingsError(f"k={k} is more than the catalogue's {users.n_items} items; choose a smaller k")
    ranked = np.empty((len(users), k), dtype=np.int32)
    scores = np.empty((len(users), k), dtype=np.float32)
    slices = list(batches(len(users), users.n_items, memory_mb))
    for rows in tqdm(slices, desc="ranking", unit="batch", delay=_PROGRESS_AFTER_S, leave=False, disable=None):
        batch = users.take(rows)
        batch_scores = _checked(model, model.score(batch), batch)
        if fallback is not None:
            batch_scores[batch.lengths == 0] = fallback
        if policy is not None:
            batch_scores = policy(batch_scores, batch)
        ranked[rows], scores[rows] = top_k(batch_scores, k)
    return ranked, scores


def batches(n_users: int, n_items: int, memory_mb: int) -> Iterator[slice]:
    """Slices of users whose float32 scores fit ``memory_mb`` MiB (at least one user each)."""
    size = max(1, (memory_mb << 20) // (4 * n_items))
    return (slice(start, min(start + size, n_users)) for start in range(0, n_users, size))


def top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest of each row, best first, ties by column.

    Args:
        scores: shape (B, I); -inf is never chosen.
        k: list length, in items; at most I.

    Returns:
        Columns (-1 in unused places) and their scores; both (B, k).
    """
    if scores.nbytes < _ONE_THREAD_BYTES:  # starting a thread takes longer
        return _top_k(scores, k)
    chunks = np.array_split(scores, max(n_threads(), scores.nbytes // _CHUNK_BYTES))
    with ThreadPoolExecutor(n_threads()) as pool:  # NumPy releases the interpreter lock while it compares
        parts = list(pool.map(lambda chunk: _top_k(chunk, k), chunks))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _top_k(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = scores >= _low_bound(scores, k)  # the k best of each row, and a few more
    crowded = np.count_nonzero(chosen, axis=1) > 8 * k  # rows with many ties, where there are many more
    chosen[crowded] = _exactly(scores[crowded], k)
    row, column = np.divmod(np.flatnonzero(chosen), scores.shape[1])
    value = scores[row, column]
    order = np.lexsort((column, -value, row))
    place = np.arange(len(row)) - np.searchsorted(row, row)
    first = order[place < k]
    columns, best = column[first].reshape(-1, k), value[first].reshape(-1, k)
    return np.where(best > -np.inf, columns, -1).astype(np.int32), best


def _low_bound(scores: np.ndarray, k: int) -> np.ndarray:
    """A value that at least k of each row reach; shape (B, 1).

    It is the k-th largest of the maxima of groups of columns: k groups have at least one value each that reaches it.
    This is far cheaper than the k-th largest of all values, since most of the work is a plain maximum.
    """
    width = max(1, scores.shape[1] // (8 * k))
    maxima = np.maximum.reduceat(scores, np.arange(0, scores.shape[1], width), axis=1)  # (B, I / width)
    return -np.partition(-maxima, k - 1, axis=1)[:, k - 1, None]


def _exactly(scores: np.ndarray, k: int) -> np.ndarray:
    """True for the k best of each row, ties by column; shape (B, I)."""
    threshold = -np.partition(-scores, k - 1, axis=1)[:, k - 1, None]
    above, tied = scores > threshold, scores == threshold
    places = k - np.count_nonzero(above, axis=1, keepdims=True)
    return above | (tied & (tied.cumsum(axis=1, dtype=np.int32) <= places))


def _checked(model: Scorer, scores: np.ndarray, users: Histories) -> np.ndarray:
    expected = (len(users), users.n_items)
    if scores.shape != expected:
        raise ValueError(f"{type(model).__name__}.score gave shape {scores.shape}, expected {expected}")
    broken = ~np.isfinite(scores.sum(axis=1))
    if broken.any():
        raise SettingsError(
            f"{type(model).__name__} gave scores that are not finite for {broken.sum()} of {len(users)} users "
            f"(first: row {int(np.flatnonzero(broken)[0])}); lower the learning rate or raise the regularisation"
        )
    return scores
