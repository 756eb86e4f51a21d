"""The training set."""

from dataclasses import dataclass, field, replace

import pandas as pd
from scipy import sparse

from omniretail.ids import Vocabulary
from omniretail.signals import Signals
from omniretail.views.histories import Histories

_ONE, _NONE = Vocabulary.of([""]), Vocabulary(pd.Index([], dtype=object))


@dataclass(frozen=True)
class Validation:
    """What epochs and weights are chosen by, and what is never learned from.

    Attributes:
        users: histories of V users before what is held out.
        held_out: True where the user then took the item; shape (V, I).
    """

    users: Histories
    held_out: sparse.csr_array


@dataclass(frozen=True)
class Train:
    """Everything that a model may learn from.

    Attributes:
        histories: of every training user; row u is user index u.
        users: user ids seen before the cutoff.
        items: item ids seen before the cutoff: the catalogue that is ranked.
        item_table: the items' attributes in index order, ``item_id`` first.
        at: time of the cutoff, seconds since 1970; one past the last event where the split is by position.
        user_table: the users' attributes in index order, ``user_id`` first; None where there is no users table.
        event_types: vocabulary of ``histories.event_type``.
        channels: vocabulary of ``histories.channel``.
        stores: vocabulary of ``histories.store``.
        signals: what the event types mean.
        zone: IANA name of the time zone of hours and weekdays; empty where the data has an order but no times.
        validation: of a split with ``refit=False``; None: models that need one hold out training events.
    """

    histories: Histories
    users: Vocabulary
    items: Vocabulary
    item_table: pd.DataFrame
    at: int
    user_table: pd.DataFrame | None = None
    event_types: Vocabulary = _ONE
    channels: Vocabulary = _ONE
    stores: Vocabulary = _NONE
    zone: str = "UTC"
    signals: Signals = field(default_factory=Signals)
    validation: Validation | None = None

    def of_purchases(self) -> "Train":
        """The same training set with the purchases of each user only."""
        return replace(self, histories=self.histories.purchases())
