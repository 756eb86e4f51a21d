"""Inner validation: the last training basket of some users, or a tenth of their events, is held out from training."""

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.models.top_k import Scorer, recommend
from omniretail.models.training.settings import MONITORS
from omniretail.views.histories import Histories, has_repeats
from omniretail.views.train import Validation

_K = 10


@dataclass(frozen=True)
class InnerValidation:
    """Users on whom a network is validated during training.

    Attributes:
        users: histories of U users without what is held out.
        held_out: True where the item was held out; shape (U, I).
        hide_seen: whether seen items are hidden, which is so where no user ever has an item twice.
    """

    users: Histories
    held_out: sparse.csr_array
    hide_seen: bool

    def evaluate_users(self, model: Scorer, users: slice = slice(None)) -> np.ndarray:
        """Sums over users of the metrics in ``MONITORS``, and the number of users; shape (4,).

        Args:
            model: scores users.
            users: those to evaluate; processes divide them, and their sums add up.
        """
        rows = np.arange(len(self.users))[users]
        k = min(_K, self.users.n_items)
        ranked, _ = recommend(model, self.users.take(rows), k, _hide_seen if self.hide_seen else None)
        held_out = self.held_out[rows]
        row = np.repeat(np.arange(len(rows)), k)
        hits = np.asarray(held_out[row, np.maximum(ranked, 0).ravel()]).reshape(ranked.shape) & (ranked >= 0)
        n_held_out = np.maximum(np.diff(held_out.indptr), 1)
        gains = 1 / np.log2(np.arange(2, k + 2))
        ideal = np.cumsum(gains)[np.minimum(n_held_out, k) - 1]
        ndcg, recall = (hits @ gains) / ideal, hits.sum(1) / n_held_out
        return np.array([ndcg.sum(), recall.sum(), hits.any(1).sum(), len(rows)])


def mean_metrics(sums: np.ndarray) -> dict[str, float]:
    """Means over users by name, from sums as ``evaluate_users`` returns them."""
    return {f"val_{name}": float(total / max(1, sums[-1])) for name, total in zip(MONITORS, sums, strict=False)}


def hold_out(histories: Histories, max_users: int, seed: int) -> tuple[Histories, InnerValidation]:
    """Divide training events: last baskets are held out, or events at random where no user has two baskets.

    Args:
        histories: the training events.
        max_users: at most so many users are validated; the others keep all their events.
        seed: of the random draws.

    Returns:
        The events that are left to learn from, and the inner validation.

    Raises:
        SettingsError: where no user has two events.
    """
    rows, last = histories.rows, histories.n_baskets - 1
    held = (histories.basket == last[rows]) & (last[rows] > 0)
    if not held.any():
        held = _tenth_of_events(histories, seed)
    validated = np.unique(rows[held])
    if not len(validated):
        raise SettingsError("no user has two events, so there is nothing to validate on; set trainer.patience=0")
    if len(validated) > max_users:
        validated = np.sort(np.random.default_rng(seed).choice(validated, max_users, replace=False))
        held &= np.isin(rows, validated)
    pairs = sparse.csr_array(
        (np.ones(held.sum(), dtype=bool), (rows[held], histories.item_idx[held])),
        shape=(len(histories), histories.n_items),
    )
    pairs.sum_duplicates()
    learned, held_out = histories.keep(~held), pairs[validated].astype(bool)
    return learned, InnerValidation(learned.take(validated), held_out, not has_repeats(histories))


def outer_validation(histories: Histories, validation: Validation, max_users: int, seed: int) -> InnerValidation:
    """The validation of a split with ``refit=False``.

    Args:
        histories: the training events, none of which is held out.
        validation: of the training set.
        max_users: at most so many users are validated.
        seed: of the draw of users.
    """
    rows = np.arange(len(validation.users))
    if len(rows) > max_users:
        rows = np.sort(np.random.default_rng(seed).choice(rows, max_users, replace=False))
    return InnerValidation(validation.users.take(rows), validation.held_out[rows], not has_repeats(histories))


def _tenth_of_events(histories: Histories, seed: int) -> np.ndarray:
    """A tenth of each user's events at random, rounded down, but one where a user has two; a mask of shape (E,)."""
    rows, lengths = histories.rows, histories.lengths
    drawn = np.lexsort((np.random.default_rng(seed).random(len(rows)), rows))  # within each user in random order
    place = np.arange(len(rows)) - histories.offsets[rows]
    wanted = np.where(lengths > 1, np.maximum(lengths // 10, 1), 0)
    held = np.zeros(len(rows), dtype=bool)
    held[drawn] = place < wanted[rows]
    return held


def _hide_seen(scores: np.ndarray, users: Histories) -> np.ndarray:
    scores[users.rows, users.item_idx] = -np.inf
    return scores
