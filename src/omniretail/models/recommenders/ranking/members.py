"""Several recommenders side by side: their scores, their candidates, and what a ranking reads of both."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.models.protocols import Recommender, UnknownUserError
from omniretail.models.recommenders.ranking.pairs import Groups, Pairs
from omniretail.models.top_k import top_k
from omniretail.views.histories import Histories
from omniretail.views.train import Train

_HALF = 1 << 6  # half of the last bit that stays


def checked_members(model: Any) -> dict[str, Recommender]:
    """The field ``members`` of a model as a dict.

    Raises:
        SettingsError: where it is empty, or a name cannot be that of a folder.
    """
    members, name = dict(model.members), type(model).__name__
    if not members:
        raise SettingsError(
            f"{name}: members is empty; name a recommender: +model/recommender@model.members.tifu_knn=tifu_knn"
        )
    if odd := [each for each in members if not str(each).isidentifier()]:
        raise SettingsError(f"{name}: members: {odd[0]!r} becomes a folder's name; use letters, digits and underscores")
    return members


def members_label(name: str, members: Mapping[str, Recommender]) -> str:
    """A name with its members', such as ``TwoStage (TIFU-KNN, EASE)``."""
    return f"{name} ({', '.join(getattr(each, 'label', type(each).__name__) for each in members.values())})"


def fitted_members(members: Mapping[str, Recommender], train: Train) -> dict[str, Recommender]:
    """Copies, each fitted on the training set."""
    return {name: copy.deepcopy(member).fit(train) for name, member in members.items()}


def in_order(model: Any) -> dict[str, Recommender]:
    """Fitted members in the order of the field ``members``, which folders do not keep."""
    return {name: model.members_[name] for name in model.members}


def member_scores(members: Mapping[str, Recommender], users: Histories) -> dict[str, np.ndarray]:
    """Scores of each member, NaN in the rows of users whom it cannot score; float32, each of shape (B, I).

    They are rounded to 17 significant bits, so that what is equal does not differ by the order of a sum.

    Raises:
        UnknownUserError: where a user can be scored by no member.
    """
    scores, errors = {}, {}
    for name, member in members.items():
        try:
            scores[name] = _rounded(member.score(users))
        except UnknownUserError as error:
            errors[name] = error
            scores[name] = _of_training_users(member, users)
    if len(errors) == len(members):
        raise next(iter(errors.values()))
    return scores


def _of_training_users(member: Recommender, users: Histories) -> np.ndarray:
    scores = np.full((len(users), users.n_items), np.nan, dtype=np.float32)
    known = np.flatnonzero(users.user_idx >= 0)
    scores[known] = _rounded(member.score(users.take(known)))
    return scores


def _rounded(scores: np.ndarray) -> np.ndarray:
    """The same array, its last 7 of 23 bits of the fraction rounded away."""
    bits = scores.view(np.int32)
    bits += _HALF
    bits &= -2 * _HALF
    return scores


def first_known(scores: Mapping[str, np.ndarray]) -> np.ndarray:
    """Of each user, the scores of the first member that can score them; writable, shape (B, I)."""
    rows = iter(scores.values())
    together = next(rows).copy()
    for others in rows:
        unknown = np.isnan(together[:, 0])
        together[unknown] = others[unknown]
    return together


def best_items(scores: Mapping[str, np.ndarray], k: int) -> dict[str, np.ndarray]:
    """The k best items of each member, or all where the catalogue is smaller, best first; each of shape (B, k).

    Places are -1 where a member cannot score the user.
    """
    return {name: _best(each, min(k, each.shape[1])) for name, each in scores.items()}


def _best(scores: np.ndarray, k: int) -> np.ndarray:
    items = np.full((len(scores), k), -1)
    known = ~np.isnan(scores[:, 0])
    items[known] = top_k(scores[known], k)[0]
    return items


def member_features(
    scores: Mapping[str, np.ndarray], best: Mapping[str, np.ndarray], pairs: Pairs
) -> dict[str, np.ndarray]:
    """Score, score over the user's best, and place in the list of each member; each of shape (P,).

    All are NaN where a member cannot score the user; the place is the length of the list where the item is not in it.

    Args:
        scores: by member, each of shape (B, I).
        best: by member, each of shape (B, k).
        pairs: P candidates.
    """
    features = {}
    for name, items in best.items():
        own = scores[name][pairs.row, pairs.item]
        top = scores[name][pairs.row, np.maximum(items[:, 0], 0)[pairs.row]]
        place = _places(items, pairs)
        features |= {f"{name}_score": own, f"{name}_ratio": own / np.where(top > 0, top, np.nan)}
        features[f"{name}_place"] = np.where(np.isnan(own), np.nan, place)
    return features


def _places(items: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Place of each pair in its user's list, from 0; the list's length where it is not there; shape (P,)."""
    row, place = np.nonzero(items >= 0)
    groups = Groups(row * pairs.n_items + items[row, place])
    return groups.lookup(pairs.keys, groups.first(place), items.shape[1])
