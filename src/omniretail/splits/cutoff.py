"""The line that one evaluation draws through the events."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import ibis

Stage = Literal["val", "test"]


@dataclass(frozen=True)
class Cutoff:
    """What may be known, and what is judged.

    Attributes:
        before: the events that views, vocabularies and models are functions of; nothing else may reach them.
        held_out: the events that the model is judged on.
        at: the moment between them; None where the line is drawn by position in each user's history.
    """

    before: ibis.Table
    held_out: ibis.Table
    at: datetime | None = None


class Split(Protocol):
    """A frozen dataclass that draws the line."""

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """The line for ``val`` (to tune on) or ``test`` (to touch once); ``val`` knows nothing of what ``test`` judges."""
        ...
