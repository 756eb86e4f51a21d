"""Scores of RecBole's models, in the order of our items."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.recbole.library import module, torch
from omniretail.models.recommenders.recbole.tables import ITEM, USER
from omniretail.models.recommenders.recbole.zoo import (
    AUTOENCODERS,
    LINEAR,
    PER_USER_SEQUENTIAL,
    SAME_FOR_ALL,
    ZOO,
)
from omniretail.views.histories import Histories
from omniretail.views.matrix import user_items

_SCORES_AT_ONCE = 1 << 23
_PAIRS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class Fitted:
    """A trained model and the data that scoring needs.

    Attributes:
        name: of the model.
        data: RecBole's dataset of the training events.
        model: in evaluation mode.
        users: RecBole's index of each training user; shape (U,).
        items: RecBole's index of each item; shape (I,).
        popularity: events per item, the scores of users without a history; float32, shape (I,).
    """

    name: str
    data: Any
    model: Any
    users: np.ndarray
    items: np.ndarray
    popularity: np.ndarray

    @property
    def config(self) -> Any:
        """RecBole's settings."""
        return self.data.config

    @property
    def serves_any_history(self) -> bool:
        """Whether the model scores from a history alone."""
        by_user = self.name == "ItemKNN" and self.config["knn_method"] == "user"
        return not (by_user or needs_known_users(self.name))


def needs_known_users(name: str) -> bool:
    """Whether a model, with RecBole's defaults, learns parameters per user."""
    if ZOO[name] == "sequential":
        return name in PER_USER_SEQUENTIAL
    return name not in AUTOENCODERS | LINEAR | SAME_FOR_ALL | {"ItemKNN", "NAIS"}


def score(fitted: Fitted, users: Histories) -> np.ndarray:
    """See ``Recommender``; a user without any history gets the popular list.

    Raises:
        UnknownUserError: from a model that learns a vector per user, for a user who was not in training.
    """
    unknown = int(((users.user_idx < 0) & (users.lengths > 0)).sum())
    if unknown and not fitted.serves_any_history:
        raise UnknownUserError(f"RecBole's {fitted.name}", unknown, len(users))
    scores = np.tile(fitted.popularity, (len(users), 1))  # (B, I)
    rows = np.flatnonzero(users.lengths > 0)
    for start in range(0, len(rows), step := max(1, _SCORES_AT_ONCE // fitted.data.item_num)):
        part = rows[start : start + step]
        scores[part] = _scored(fitted, users.take(part))
    return scores


def _scored(fitted: Fitted, users: Histories) -> np.ndarray:
    sequential = ZOO[fitted.name] == "sequential"
    arrays = _sequences(fitted, users) if sequential else {USER: _user_indices(fitted, users)}
    queries = module("data.interaction").Interaction({key: torch().from_numpy(value) for key, value in arrays.items()})
    queries = module("data.transform").construct_transform(fitted.config)(fitted.data, fitted.data.join(queries))
    with torch().no_grad(), _histories_of(fitted, users):
        scores = _all_items(fitted, queries.to(fitted.config["device"]))
    return scores.reshape(len(users), -1)[:, fitted.items]  # (B, I)


def _all_items(fitted: Fitted, queries: Any) -> np.ndarray:
    """Scores of all items, RecBole's padding first; (B, 1 + I) in any shape."""
    try:
        return fitted.model.full_sort_predict(queries).detach().cpu().numpy().astype(np.float32)
    except NotImplementedError:  # the model scores pairs only
        items = fitted.data.get_item_feature().to(fitted.config["device"])
        step = max(1, _PAIRS_AT_ONCE // fitted.data.item_num)
        parts = [_pairs(fitted, queries[start : start + step], items) for start in range(0, len(queries), step)]
        return np.concatenate(parts)


def _pairs(fitted: Fitted, queries: Any, items: Any) -> np.ndarray:
    pairs = queries.repeat_interleave(fitted.data.item_num)
    pairs.update(items.repeat(len(queries)))
    return fitted.model.predict(pairs).detach().cpu().numpy().astype(np.float32).reshape(-1)


def _user_indices(fitted: Fitted, users: Histories) -> np.ndarray:
    """RecBole's index of each user, or the row of their history where the model reads that instead."""
    return np.arange(len(users)) if fitted.serves_any_history else fitted.users[users.user_idx]


def _sequences(fitted: Fitted, users: Histories) -> dict[str, np.ndarray]:
    """The last items of each user, oldest first, padded behind."""
    config = fitted.config
    lengths = np.minimum(users.lengths, config["MAX_ITEM_LIST_LENGTH"])  # (B,)
    place = np.arange(config["MAX_ITEM_LIST_LENGTH"])
    events = (users.offsets[1:] - lengths)[:, None] + place  # (B, L)
    inside = place < lengths[:, None]
    items = np.where(inside, fitted.items[users.item_idx[np.where(inside, events, 0)]], 0)
    return {
        USER: np.where(users.user_idx >= 0, fitted.users[users.user_idx], 0),
        ITEM + config["LIST_SUFFIX"]: items,
        config["ITEM_LIST_LENGTH_FIELD"]: lengths.astype(np.int64),
        # read by DIEN and by the two CPR models, for a loss that scoring does not use
        ITEM: items[:, 0],
        config["NEG_PREFIX"] + ITEM + config["LIST_SUFFIX"]: items,
    }


@contextmanager
def _histories_of(fitted: Fitted, users: Histories) -> Iterator[None]:
    """Replace the histories of the training users, which the model holds, by those of ``users``."""
    if ZOO[fitted.name] == "sequential" or not fitted.serves_any_history:
        yield
        return
    attributes = _model_attributes(fitted, users)
    before = {name: getattr(fitted.model, name) for name in attributes}
    vars(fitted.model).update(attributes)
    try:
        yield
    finally:
        vars(fitted.model).update(before)


def _model_attributes(fitted: Fitted, users: Histories) -> dict[str, Any]:
    """The histories under the names and in the form of the model."""
    if fitted.name in LINEAR | {"ItemKNN"}:
        matrix = _matrix(fitted, users)
        return {"pred_mat": matrix @ fitted.model.w} if fitted.name == "ItemKNN" else {"interaction_matrix": matrix}
    if fitted.name in AUTOENCODERS:
        items, filled = _padded(fitted, users)
        return {"history_item_id": items, "history_item_value": filled.float()}
    if fitted.name == "NAIS":
        items, filled = _padded(fitted, users)
        return {"history_item_matrix": items, "history_lens": filled.sum(1)}
    return {}


def _matrix(fitted: Fitted, users: Histories) -> sparse.csr_matrix:
    """Events by user and RecBole's items; shape (B, 1 + I)."""
    ours = user_items(users).tocoo()
    return sparse.csr_matrix((ours.data, (ours.row, fitted.items[ours.col])), shape=(len(users), fitted.data.item_num))


def _padded(fitted: Fitted, users: Histories) -> tuple[Any, Any]:
    """Items of each user, padded behind, and a mask of those that are no padding; both (B, longest)."""
    place = np.arange(max(1, users.lengths.max(initial=0)))
    filled = place < users.lengths[:, None]
    items = np.zeros(filled.shape, dtype=np.int64)
    items[filled] = fitted.items[users.item_idx]
    device = fitted.config["device"]
    return torch().from_numpy(items).to(device), torch().from_numpy(filled).to(device)
