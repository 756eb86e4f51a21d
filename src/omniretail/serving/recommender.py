"""Requests for recommendations, answered by the model and the policy with which the lists were evaluated."""

from dataclasses import replace
from threading import Lock

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.models.protocols import UnknownUserError
from omniretail.models.top_k import batches, top_k
from omniretail.policies.chain import Decides
from omniretail.serving.bundle import RecommenderBundle
from omniretail.serving.item_filters import ItemFilters
from omniretail.serving.request_history import request_histories, request_times
from omniretail.serving.validation import RequestError, as_count, as_index, check_fields, text_ids, values_of
from omniretail.views.histories import NO_TIME, Histories

FIELDS = ("user_id", "history", "k", "at", "store_id", "channel", "exclude", "candidates", "filters")
_K = 10


class RecommenderService:
    """Answers requests from any number of threads, one at a time: a model may share an engine or a network.

    A customer is served by ``user_id``, from the history before the model's cutoff, or by the ``history`` in the
    request, which replaces it. Without a history the list is what is popular in the store, else in the channel, else
    everywhere, and the answer says so. What a request excludes is left out before the policy sees the scores.

    Args:
        bundle: see ``serving.bundle``.
        version: name and version of the model, for the answers.
        memory_mb: bound on one batch of scores, MiB.
    """

    def __init__(self, bundle: RecommenderBundle, version: str = "", memory_mb: int = 256) -> None:
        self.bundle = bundle
        self.version = version
        self.memory_mb = memory_mb
        self.filters = ItemFilters(bundle.train)
        names = bundle.train.item_table.get("name")
        self.names = None if names is None else names.astype(object).where(names.notna(), None).to_numpy()
        self._one_at_a_time = Lock()

    def example(self) -> pd.DataFrame:
        """Two known customers, one with a history alone, and one without any."""
        train = self.bundle.train
        user_ids = train.users.ids[:2].tolist()
        items = train.histories.item_idx[:3] if len(train.histories.item_idx) else np.zeros(1, dtype=np.int32)
        history = [{"item_id": item} for item in train.items.decode(items).tolist()]
        rows = [*({"user_id": each} for each in user_ids), {"history": history}, {}]
        return pd.DataFrame([{"user_id": None, "history": None, **row} for row in rows], dtype=object)

    def text_fields(self) -> set[str]:
        """Fields whose ids are text."""
        train = self.bundle.train
        return text_ids({"user_id": train.users, "store_id": train.stores, "channel": train.channels})

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A list for each row.

        Args:
            frame: columns of ``FIELDS``, all optional; None where a row has no value.

        Returns:
            ``item_ids``, ``scores`` and ``names`` (lists, best first, shorter than k where rules leave fewer items),
            ``fallback`` (None where the model made the list, else the reason), ``unknown_items`` (events of the history
            that are left out since the model does not know their item) and ``model_version``.

        Raises:
            RequestError: naming the field that is not as it should be.
        """
        check_fields(frame, FIELDS)
        train = self.bundle.train
        users, unknown_items = request_histories(frame, train)
        at_store, at = _indices(frame, "store_id", train.stores), request_times(frame, users)
        if not train.zone and (at != NO_TIME).any():
            raise RequestError("at: this model's data has an order of events but no times")
        users = replace(users, at_store=at_store, served_at=at)
        k = self._k(frame)
        allowed = self.filters.allowed(frame)
        channel = _indices(frame, "channel", train.channels)
        n, most = len(frame), int(k.max(initial=1))
        ranked, scores = np.empty((n, most), dtype=np.int32), np.empty((n, most), dtype=np.float32)
        fallback = np.full(n, None, dtype=object)
        with self._one_at_a_time:
            for rows in batches(n, users.n_items, self.memory_mb):
                own = None if allowed is None else allowed[rows]
                batch, fallback[rows] = self._scores(users.take(rows), channel[rows], own)
                ranked[rows], scores[rows] = top_k(batch, most)
        return self._answers(ranked, scores, k, fallback, unknown_items)

    def _k(self, frame: pd.DataFrame) -> np.ndarray:
        catalogue = len(self.bundle.train.items)
        default = min(_K, catalogue)
        values = values_of(frame, "k")
        return np.array(
            [default if each is None else as_count("k", each, catalogue) for each in values], dtype=np.int64
        )

    def _scores(
        self, users: Histories, channel: np.ndarray, allowed: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores under the policy, shape (B, I), and what replaces the model, shape (B,)."""
        fallback = np.full(len(users), None, dtype=object)
        try:
            scores = self.bundle.model.score(users)
            without = users.lengths == 0
        except UnknownUserError:  # of a model with a vector per user: known users are still served
            without = users.user_idx < 0
            scores = np.empty((len(users), users.n_items), dtype=np.float32)
            scores[~without] = self.bundle.model.score(users.take(np.flatnonzero(~without)))
        for row in np.flatnonzero(without):
            scores[row], fallback[row] = self._popular(int(users.at_store[row]), int(channel[row]))
        policy = self.bundle.policy
        if isinstance(policy, Decides):
            decision = policy.decide(scores, users, allowed)
            fallback[decision.fell_back] = f"policy: {policy.fallback}"
            return decision.shown, fallback
        if allowed is not None:
            scores[~allowed] = -np.inf
        return policy(scores, users), fallback

    def _popular(self, store: int, channel: int) -> tuple[np.ndarray, str]:
        """What is popular where the customer is; of equals, what is popular everywhere. Shape (I,)."""
        bundle = self.bundle
        everywhere = bundle.popular / (bundle.popular.max() + 1)  # below 1: any sale in the store outweighs it
        if store >= 0:
            return bundle.by_store[[store]].toarray()[0] + everywhere, "popular_at_store"
        if channel >= 0:
            return bundle.by_channel[channel] + everywhere, "popular_in_channel"
        return bundle.popular, "popular"

    def _answers(
        self,
        ranked: np.ndarray,
        scores: np.ndarray,
        k: np.ndarray,
        fallback: np.ndarray,
        unknown_items: np.ndarray,
    ) -> pd.DataFrame:
        """Arrays as lists that JSON and Parquet take, of length k or as long as rules allow."""
        lengths = np.minimum((ranked >= 0).sum(axis=1), k)
        columns = {
            "item_ids": self.bundle.train.items.decode(np.maximum(ranked, 0)).tolist(),
            "scores": scores.tolist(),
            **({} if self.names is None else {"names": self.names[ranked].tolist()}),
        }
        if (lengths < ranked.shape[1]).any():
            columns = {
                name: [each[:n] for each, n in zip(lists, lengths, strict=True)] for name, lists in columns.items()
            }
        return pd.DataFrame(
            {
                **columns,
                "fallback": pd.Series(fallback, dtype=object),
                "unknown_items": unknown_items,
                "model_version": self.version,
            }
        )


def _indices(frame: pd.DataFrame, field: str, vocabulary: Vocabulary) -> np.ndarray:
    """The field's value of each row as an index, -1 where the row has none; int32, shape (B,)."""
    values = values_of(frame, field)
    return np.array([-1 if each is None else as_index(field, each, vocabulary) for each in values], dtype=np.int32)
