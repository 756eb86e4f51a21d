"""The line that one evaluation draws through the events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import ibis
from ibis import _

Stage = Literal["val", "test"]


@dataclass(frozen=True)
class Cutoff:
    """What may be known, and what is judged.

    Attributes:
        before: the events that views, vocabularies and models are functions of; nothing else may reach them.
        held_out: the events that the model is judged on.
        at: the moment between them, UTC without a zone; None where each user's history is cut by position.
    """

    before: ibis.Table
    held_out: ibis.Table
    at: datetime | None = None


class Split(Protocol):
    """A frozen dataclass that draws the line."""

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """The line for ``val`` (to tune on) or ``test`` (to touch once).

        Whatever ``test`` judges is unknown to ``val``; what ``val`` judges is known to ``test``.
        """
        ...


def cut_by_position(events: ibis.Table, stage: Stage, minimum: int) -> Cutoff:
    """Hold out position 0 (test) or 1 (validation) of every user who has the minimum.

    Args:
        events: with ``position``, 0 the user's newest, and ``total`` positions of the user.
        stage: which position is judged; newer ones are dropped.
        minimum: users with fewer positions are known whole and not judged.
    """
    judged_position = 0 if stage == "test" else 1
    few = _.total < minimum
    before = events.filter(few | (_.position > judged_position))
    held_out = events.filter(~few, _.position == judged_position)
    return Cutoff(before.drop("position", "total"), held_out.drop("position", "total"))


def is_empty(events: ibis.Table) -> bool:
    """Whether there is no event."""
    return events.limit(1).to_pyarrow().num_rows == 0
