"""Inner validation: each user's last training basket, or a tenth where there are no baskets, held out from training."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from omniretail.models.top_k import Scorer, recommend
from omniretail.models.training.settings import MONITORS
from omniretail.views.histories import Histories

_K = 10


@dataclass(frozen=True)
class InnerValidation:
    """Who is judged while a network is trained, and on what.

    Attributes:
        users: U users' histories without what is held out.
        held_out: True where the item was held out; shape (U, I).
        hide_seen: whether seen items are hidden, as they are where nobody ever takes an item twice.
    """

    users: Histories
    held_out: sparse.csr_array
    hide_seen: bool

    def evaluate_users(self, model: Scorer, part: int = 0, parts: int = 1) -> np.ndarray:
        """Sums over users of ``MONITORS``, and the number of users: shape (4,).

        Args:
            model: gives scores.
            part: judge every ``parts``-th user from this one on, so that processes can share the work.
            parts: processes.
        """
        mine = np.arange(part, len(self.users), parts)
        k = min(_K, self.users.n_items)
        ranked, _ = recommend(model, self.users.take(mine), k, _hide_seen if self.hide_seen else None)
        held_out = self.held_out[mine]
        row = np.repeat(np.arange(len(mine)), k)
        hits = np.asarray(held_out[row, np.maximum(ranked, 0).ravel()]).reshape(ranked.shape) & (ranked >= 0)
        n_held_out = np.maximum(np.diff(held_out.indptr), 1)
        gains = 1 / np.log2(np.arange(2, k + 2))
        ideal = np.cumsum(gains)[np.minimum(n_held_out, k) - 1]
        ndcg, recall = (hits @ gains) / ideal, hits.sum(1) / n_held_out
        return np.array([ndcg.sum(), recall.sum(), hits.any(1).sum(), len(mine)])


def figures(sums: np.ndarray) -> dict[str, float]:
    """The means behind the sums of all parts, by name."""
    return {f"val_{name}": float(total / max(1, sums[-1])) for name, total in zip(MONITORS, sums, strict=False)}


def set_aside(histories: Histories, at_most: int, seed: int) -> tuple[Histories, InnerValidation]:
    """What is left to learn from, and what was held out: last baskets, or events at random where nobody has two.

    Args:
        histories: the training events.
        at_most: users judged.
        seed: of the draws.

    Raises:
        ValueError: where nobody has two events.
    """
    rows, last = histories.rows, histories.n_baskets - 1
    held = (histories.basket == last[rows]) & (last[rows] > 0)
    if not held.any():
        held = _some(histories, seed)
    judged = np.unique(rows[held])
    if not len(judged):
        raise ValueError("no user has two events, so there is nothing to validate on; set trainer.patience=0")
    learned = histories.keep(~held)
    if len(judged) > at_most:
        judged = np.sort(np.random.default_rng(seed).choice(judged, at_most, replace=False))
    pairs = sparse.csr_array(
        (np.ones(held.sum(), dtype=bool), (rows[held], histories.item_idx[held])),
        shape=(len(histories), histories.n_items),
    )
    pairs.sum_duplicates()
    return learned, InnerValidation(learned.take(judged), pairs[judged].astype(bool), not _anything_twice(histories))


def _some(histories: Histories, seed: int) -> np.ndarray:
    """A tenth of each user's events, rounded down but at least one of two; a mask of shape (E,)."""
    rows, lengths = histories.rows, histories.lengths
    drawn = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows))  # within each user in any order
    place = np.arange(len(rows)) - histories.offsets[rows]
    wanted = np.where(lengths > 1, np.maximum(lengths // 10, 1), 0)
    held = np.zeros(len(rows), dtype=bool)
    held[drawn] = place < wanted[rows]
    return held


def _hide_seen(scores: np.ndarray, users: Histories) -> np.ndarray:
    scores[users.rows, users.item_idx] = -np.inf
    return scores


def _anything_twice(histories: Histories) -> bool:
    pairs = histories.rows * np.int64(histories.n_items) + histories.item_idx
    return len(np.unique(pairs)) < len(pairs)
