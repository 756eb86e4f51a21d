"""Requests for profiles: who is this customer, as a vector, as tags, as probabilities."""

from threading import Lock
from typing import Any

import numpy as np
import pandas as pd

from omniretail.serving.profile_bundle import Profiling
from omniretail.serving.request_history import asked_for
from omniretail.serving.validation import RequestError, given, known_fields
from omniretail.views.histories import Histories

FIELDS = ("user_id", "history", "at")
_NOTHING = "nothing is known of this customer"


class ProfileService:
    """Answers requests for profiles.

    A customer is looked at as of ``at``; by default at the moment up to which the model knows its customers, or a
    second after the last event of a history that goes on beyond it.

    Args:
        parts: see ``serving.profile_bundle``.
        version: name and version of the model, for the answers.
    """

    def __init__(self, parts: Profiling, version: str = "") -> None:
        self.parts = parts
        self.version = version
        self._one_at_a_time = Lock()  # the profile table asks DuckDB, whose connection is not for several threads

    def example(self) -> pd.DataFrame:
        """Known customers, one with a history alone, and one of whom nothing is known."""
        train = self.parts.train
        event = {"item_id": train.items.ids[:1].tolist()[0], "timestamp": train.at - 86400}
        rows = [*({"user_id": each} for each in train.users.ids[:2].tolist()), {"history": [event]}, {}]
        return pd.DataFrame([{"user_id": None, "history": None, **row} for row in rows], dtype=object)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A profile for each row.

        Args:
            frame: columns of ``FIELDS``, all optional; None where a row does not give a field.

        Returns:
            ``embedding`` (a list of D numbers), ``tags`` (names), ``probabilities`` (per question, a mapping from class
            to probability), ``fallback`` (None, or that nothing is known of the customer), ``unknown_items`` and
            ``model_version``.

        Raises:
            RequestError: naming the field that is not as it should be.
        """
        known_fields(frame, FIELDS)
        users, unknown_items = asked_for(frame, self.parts.train)
        at = self._moments(frame, users)
        columns: dict[str, np.ndarray] = {
            name: np.empty(len(frame), dtype=object) for name in ("embedding", "tags", "probabilities")
        }
        with self._one_at_a_time:
            for moment in np.unique(at):
                rows = np.flatnonzero(at == moment)
                for name, values in self._profiles(users.take(rows), int(moment)).items():
                    columns[name][rows] = values
        nothing = pd.Series([None if n else _NOTHING for n in users.lengths], dtype=object)
        facts = {"fallback": nothing, "unknown_items": unknown_items, "model_version": self.version}
        return pd.DataFrame({**columns, **facts})

    def _profiles(self, users: Histories, at: int) -> dict[str, np.ndarray]:
        x = self.parts.encoder.embed(users, at)
        promised: list[dict[str, Any]] = [{} for _ in range(len(users))]
        for promiser in self.parts.promisers:
            for row, p in zip(promised, promiser(x.astype(np.float64)).tolist(), strict=True):
                row[promiser.question] = dict(zip(promiser.classes, p, strict=True))
        return {"embedding": _each(x.tolist()), "tags": _each(self._tags(users, at)), "probabilities": _each(promised)}

    def _tags(self, users: Histories, at: int) -> list[list[str]]:
        if not self.parts.tags.tags:
            return [[] for _ in range(len(users))]
        tagged = self.parts.tags.apply(self.parts.table.table(users, at))
        names = tagged.columns.to_numpy(dtype=object)
        return [names[row].tolist() for row in tagged.to_numpy()]

    def _moments(self, frame: pd.DataFrame, users: Histories) -> np.ndarray:
        """The moment at which each customer is looked at, seconds since 1970; shape (B,)."""
        last = np.full(len(users), np.iinfo(np.int64).min)
        full = users.lengths > 0
        last[full] = users.timestamp[users.offsets[1:][full] - 1]
        at = np.maximum(self.parts.train.at, last + 1)
        for row, said in enumerate(given(frame, "at")):
            if said is not None:
                at[row] = _moment(said)
                if at[row] <= last[row]:
                    raise RequestError(f"at: {said!r} lies before an event of the customer's history")
        return at


def _moment(said: Any) -> int:
    if isinstance(said, int | np.integer) and not isinstance(said, bool):
        return int(said)
    try:
        return int(pd.to_datetime([said], utc=True, format="ISO8601").as_unit("s").asi8[0])
    except (ValueError, TypeError, OverflowError):
        raise RequestError(f"at: a moment is ISO 8601 or seconds since 1970, not {said!r}") from None


def _each(values: list[Any]) -> np.ndarray:
    """One object per row, whatever it is."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
