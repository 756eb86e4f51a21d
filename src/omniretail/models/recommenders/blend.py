"""ScoreBlend: a weighted sum of several recommenders' normalised scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np
from scipy.special import softmax

from omniretail.core.checks import above, at_least, one_of
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.ranking.members import (
    best_items,
    checked_members,
    fitted_members,
    in_order,
    member_scores,
    members_label,
)
from omniretail.models.recommenders.ranking.pairs import Pairs
from omniretail.models.recommenders.ranking.weights import WeightExamples, best_weights
from omniretail.models.recommenders.ranking.windows import InnerWindow, inner_windows, outer_window
from omniretail.models.top_k import batches
from omniretail.views.histories import Histories, has_repeats
from omniretail.views.train import Train

_MEMORY_MB = 128
_CONSTANT = 60  # of reciprocal rank fusion

Normalisation = Literal["rank", "min_max", "z_score", "softmax"]


@dataclass(eq=False)
class ScoreBlend:
    """A weighted sum of scores that are normalised per user, with weights chosen before the cutoff.

    Members are fitted on the events before each of the last ``n_windows`` windows, and the weights with the best
    NDCG@``k`` of what was bought in the windows are taken; then members are fitted again on all events. Without a
    window to learn from, and where nothing is better, all weigh the same. With ``split.refit=False`` the split's own
    validation is the window, and members are fitted once. Where nobody takes an item twice, items that the user has are
    left out of the lists by which weights are chosen. A user whom some members cannot score is scored by the others.

    Args:
        members: recommenders by name.
        normalisation: of each user's scores: ``rank`` is ``1 / (60 + place)`` (reciprocal rank fusion, Cormack, Clarke
            and Buettcher, SIGIR 2009), ``min_max`` maps them to 0..1, ``z_score`` to mean 0 and standard deviation 1,
            ``softmax`` makes them sum to one.
        k: length of the lists by which weights are chosen.
        candidates: best items of each member that are looked at to choose weights.
        horizon_days: length of a window; see ``ranking.windows`` for data without times.
        n_windows: windows by which weights are chosen.
        max_users: customers of one window.
    """

    members: Mapping[str, Recommender]
    normalisation: Normalisation = "z_score"
    k: int = 10
    candidates: int = 100
    horizon_days: float = 28.0
    n_windows: int = 1
    max_users: int = 20_000

    def __post_init__(self) -> None:
        self.members = checked_members(self)
        one_of(self, "normalisation", get_args(Normalisation))
        at_least(self, "k", "candidates", "n_windows", "max_users", low=1)
        above(self, "horizon_days")

    @property
    def label(self) -> str:
        """The name with its members', such as ``Blend (TIFU-KNN, EASE)``."""
        return members_label("Blend", self.members)

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        if train.validation is None:
            windows = inner_windows(train, self.horizon_days, self.n_windows, self.max_users)
            several = windows if len(self.members) > 1 else []
            examples = [self._examples(fitted_members(self.members, each.train), each) for each in several]
            self.members_ = fitted_members(self.members, train)
        else:
            self.members_ = fitted_members(self.members, train)
            examples = [self._examples(in_order(self), outer_window(train, train.validation, self.max_users))]
        self.weights_ = best_weights(examples, len(self.members), self.k)  # (M,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.zeros((len(users), users.n_items), dtype=np.float32)
        for rows in self._batches(users):
            own = member_scores(in_order(self), users.take(rows))
            for weight, each in zip(self.weights_, own.values(), strict=True):
                scores[rows] += np.float32(weight) * normalised(each, self.normalisation)
        return scores

    def _batches(self, users: Histories) -> list[slice]:
        return list(batches(len(users), users.n_items * (len(self.members) + 2), _MEMORY_MB))

    def _examples(self, members: Mapping[str, Recommender], window: InnerWindow) -> WeightExamples:
        parts, repeats = [], has_repeats(window.train.histories)
        for rows in self._batches(window.users):
            scores = member_scores(members, window.users.take(rows))
            pairs = Pairs.of(list(best_items(scores, self.candidates).values()), window.users.n_items)
            pairs = pairs if repeats else pairs.without(window.users.take(rows))
            x = np.column_stack(
                [normalised(each, self.normalisation)[pairs.row, pairs.item] for each in scores.values()]
            )
            row = rows.start + pairs.row
            parts.append((x, row, np.asarray(window.taken[row, pairs.item]).ravel() > 0))
        x, row, taken = (np.concatenate(each) for each in zip(*parts, strict=True))
        return WeightExamples(x, row, taken, np.diff(window.taken.indptr))


def normalised(scores: np.ndarray, how: Normalisation) -> np.ndarray:
    """Each row's scores on one scale; 0 in rows that are NaN, and where all are equal.

    Args:
        scores: shape (B, I).
        how: see ``ScoreBlend``.

    Returns:
        float32, shape (B, I).

    >>> normalised(np.array([[3.0, 1.0, 2.0]]), "min_max").tolist()
    [[1.0, 0.0, 0.5]]
    """
    known = ~np.isnan(scores[:, 0]) & (scores.max(axis=1) > scores.min(axis=1))
    on_scale = np.zeros(scores.shape, dtype=np.float32)
    on_scale[known] = _SCALES[how](scores[known].astype(np.float64))
    return on_scale


def _rank(scores: np.ndarray) -> np.ndarray:
    order = np.argsort(-scores, axis=1, kind="stable")
    fused = np.empty(scores.shape)
    np.put_along_axis(fused, order, 1 / (_CONSTANT + 1.0 + np.arange(scores.shape[1]))[None], axis=1)
    return fused


def _min_max(scores: np.ndarray) -> np.ndarray:
    low = scores.min(axis=1, keepdims=True)
    return (scores - low) / (scores.max(axis=1, keepdims=True) - low)


def _z_score(scores: np.ndarray) -> np.ndarray:
    spread = scores.std(axis=1, keepdims=True)
    return (scores - scores.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1)


_SCALES = {
    "rank": _rank,
    "min_max": _min_max,
    "z_score": _z_score,
    "softmax": lambda scores: softmax(scores, axis=1),
}
