"""Requests for profiles: a customer's embedding, tags and probabilities."""

from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from omniretail.serving.profile_bundle import ProfileBundle
from omniretail.serving.request_history import request_histories, request_times
from omniretail.serving.validation import check_fields, text_ids
from omniretail.views.histories import NO_TIME, Histories

FIELDS = ("user_id", "history", "at")
_UNKNOWN = "nothing is known of this customer"


class ProfileService:
    """Answers requests for profiles, from any number of threads, one at a time: the profile table shares an engine.

    A profile is as of the time ``at``; by default the model's cutoff, or a second after the last event of a history
    that goes on beyond it.

    Args:
        bundle: see ``serving.profile_bundle``.
        version: name and version of the model, for the answers.
    """

    def __init__(self, bundle: ProfileBundle, version: str = "") -> None:
        self.bundle = bundle
        self.version = version
        self._one_at_a_time = Lock()

    def example(self) -> pd.DataFrame:
        """Two known customers, one with a history alone, and one without any."""
        train = self.bundle.train
        event = {"item_id": train.items.ids[:1].tolist()[0], "timestamp": train.at - 86400}
        rows = [*({"user_id": each} for each in train.users.ids[:2].tolist()), {"history": [event]}, {}]
        return pd.DataFrame([{"user_id": None, "history": None, **row} for row in rows], dtype=object)

    def text_fields(self) -> set[str]:
        """``user_id`` where ids are text."""
        return text_ids({"user_id": self.bundle.train.users})

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A profile for each row.

        Args:
            frame: columns of ``FIELDS``, all optional; None where a row has no value.

        Returns:
            ``embedding`` (a list of D numbers), ``tags`` (names), ``probabilities`` (per question, a mapping from class
            to probability), ``fallback`` (None, or that nothing is known of the customer), ``unknown_items`` and
            ``model_version``.

        Raises:
            RequestError: naming the field that is not as it should be.
        """
        check_fields(frame, FIELDS)
        users, unknown_items = request_histories(frame, self.bundle.train)
        at = self._times(frame, users)
        with self._one_at_a_time:
            profiles = self._profiles(users, at)
        fallback = pd.Series([None if n else _UNKNOWN for n in users.lengths], dtype=object)
        return pd.DataFrame(
            {**profiles, "fallback": fallback, "unknown_items": unknown_items, "model_version": self.version}
        )

    def _profiles(self, users: Histories, at: np.ndarray) -> dict[str, pd.Series]:
        embeddings = self.bundle.encoder.embed(users, at)
        probabilities: list[dict[str, Any]] = [{} for _ in range(len(users))]
        for probe in self.bundle.probes:
            for row, p in zip(probabilities, probe(embeddings.astype(np.float64)).tolist(), strict=True):
                row[probe.question] = dict(zip(probe.classes, p, strict=True))
        return {
            "embedding": pd.Series(embeddings.tolist(), dtype=object),
            "tags": pd.Series(self._tags(users, at), dtype=object),
            "probabilities": pd.Series(probabilities, dtype=object),
        }

    def _tags(self, users: Histories, at: np.ndarray) -> list[list[str]]:
        if not self.bundle.tags.tags:
            return [[] for _ in range(len(users))]
        tagged = self.bundle.tags.apply(self.bundle.table.table(users, at))
        names = tagged.columns.to_numpy(dtype=object)
        return [names[row].tolist() for row in tagged.to_numpy()]

    def _times(self, frame: pd.DataFrame, users: Histories) -> np.ndarray:
        """The time as of which each customer is profiled, seconds since 1970; shape (B,)."""
        own = request_times(frame, users)
        return np.where(own == NO_TIME, users.as_of(self.bundle.train.at), own)
