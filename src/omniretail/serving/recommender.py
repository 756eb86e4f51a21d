"""Requests for recommendations, answered as lists were made when the model was judged."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.protocols import UnknownUserError
from omniretail.models.top_k import batches, top_k
from omniretail.serving.bundle import Recommendable
from omniretail.serving.item_filters import Candidates
from omniretail.serving.request_history import asked_for
from omniretail.serving.validation import as_count, as_word, given, known_fields
from omniretail.views.histories import Histories

FIELDS = ("user_id", "history", "k", "store_id", "channel", "exclude", "candidates", "filters")
_K = 10


class RecommenderService:
    """Answers requests; safe to be asked from several threads, since nothing is changed by an answer.

    A customer is served by ``user_id``, from what they did before the model's cutoff, or by the ``history`` given,
    which then stands in place of what was known. Without any, the list is what is popular: in the store, else in the
    channel, else everywhere, and the answer says so.

    Args:
        parts: see ``serving.bundle``.
        version: name and version of the model, for the answers.
        memory_mb: bound on one batch of scores, MiB.
    """

    def __init__(self, parts: Recommendable, version: str = "", memory_mb: int = 256) -> None:
        self.parts = parts
        self.version = version
        self.memory_mb = memory_mb
        self.candidates = Candidates(parts.train)
        names = parts.train.item_table.get("name")
        self.names = None if names is None else names.astype(object).where(names.notna(), None).to_numpy()

    def example(self) -> pd.DataFrame:
        """Known customers, one with a history alone, and one of whom nothing is known."""
        train = self.parts.train
        known = train.users.ids[:2].tolist()
        taken = train.histories.item_idx[:3] if len(train.histories.item_idx) else np.zeros(1, dtype=np.int32)
        history = [{"item_id": item} for item in train.items.decode(taken).tolist()]
        rows = [*({"user_id": each} for each in known), {"history": history}, {}]
        return pd.DataFrame([{"user_id": None, "history": None, **row} for row in rows], dtype=object)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A list for each row.

        Args:
            frame: columns of ``FIELDS``, all optional; None where a row does not give a field.

        Returns:
            ``item_ids``, ``scores`` and ``names`` (lists, best first, shorter than k where rules leave less),
            ``fallback`` (None where the model made the list, else why not), ``unknown_items`` (events of the history
            left out since the model does not know their item) and ``model_version``.

        Raises:
            RequestError: naming the field that is not as it should be.
        """
        known_fields(frame, FIELDS)
        users, unknown_items = asked_for(frame, self.parts.train)
        users = replace(users, at_store=_numbers_of(frame, "store_id", self.parts.train.stores))
        k = self._k(frame)
        allowed = self.candidates.of(frame)
        channel = _numbers_of(frame, "channel", self.parts.train.channels)
        n, most = len(frame), int(k.max(initial=1))
        ranked, scores = np.empty((n, most), dtype=np.int32), np.empty((n, most), dtype=np.float32)
        fallback = np.full(n, None, dtype=object)
        for rows in batches(n, users.n_items, self.memory_mb):
            made, why = self._scores(users.take(rows), channel[rows])
            if allowed is not None:
                made[~allowed[rows]] = -np.inf
            ranked[rows], scores[rows] = top_k(made, most)
            fallback[rows] = why
        return self._answer(ranked, scores, k, fallback, unknown_items)

    def _k(self, frame: pd.DataFrame) -> np.ndarray:
        catalogue = len(self.parts.train.items)
        asked = given(frame, "k")
        usual = min(_K, catalogue)
        return np.array([usual if each is None else as_count("k", each, catalogue) for each in asked], dtype=np.int64)

    def _scores(self, users: Histories, channel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Scores under the policy, shape (B, I), and what stands in for the model, shape (B,)."""
        why = np.full(len(users), None, dtype=object)
        try:
            scores = self.parts.model.score(users)
            nothing = users.lengths == 0
        except UnknownUserError:  # of a model with a vector per user: the others are still served
            nothing = users.user_idx < 0
            scores = np.empty((len(users), users.n_items), dtype=np.float32)
            scores[~nothing] = self.parts.model.score(users.take(np.flatnonzero(~nothing)))
        for row in np.flatnonzero(nothing):
            scores[row], why[row] = self._popular(int(users.at_store[row]), int(channel[row]))
        policy = self.parts.policy
        if not hasattr(policy, "decide"):
            return policy(scores, users), why
        decision = policy.decide(scores, users)
        why[decision.fell_back] = f"policy: {policy.fallback}"
        return decision.shown, why

    def _popular(self, store: int, channel: int) -> tuple[np.ndarray, str]:
        """What is popular where the customer is; of equals, what is popular everywhere. Shape (I,)."""
        parts = self.parts
        everywhere = parts.popular / (parts.popular.max() + 1)  # below 1: any sale there outweighs it
        if store >= 0:
            return parts.by_store[[store]].toarray()[0] + everywhere, "popular_at_store"
        if channel >= 0:
            return parts.by_channel[channel] + everywhere, "popular_in_channel"
        return parts.popular, "popular"

    def _answer(self, ranked: Any, scores: Any, k: Any, fallback: Any, unknown_items: Any) -> pd.DataFrame:
        """Arrays as lists that JSON and Parquet take, each as long as was asked for and as rules left."""
        lengths = np.minimum((ranked >= 0).sum(axis=1), k)
        ids = self.parts.train.items.decode(np.maximum(ranked, 0)).tolist()
        names = None if self.names is None else self.names[ranked].tolist()
        values = scores.tolist()
        whole = bool((lengths == ranked.shape[1]).all())
        columns = {"item_ids": ids, "scores": values, **({} if names is None else {"names": names})}
        if not whole:
            columns = {
                name: [each[:n] for each, n in zip(lists, lengths, strict=True)] for name, lists in columns.items()
            }
        facts = {
            "fallback": pd.Series(fallback, dtype=object),
            "unknown_items": unknown_items,
            "model_version": self.version,
        }
        return pd.DataFrame({**columns, **facts})


def _numbers_of(frame: pd.DataFrame, field: str, known: Any) -> np.ndarray:
    """The field's word of each row as a number, -1 where it was not given; int32, shape (B,)."""
    words = given(frame, field)
    return np.array([-1 if word is None else as_word(field, word, known) for word in words], dtype=np.int32)
