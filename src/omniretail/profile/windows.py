"""Two looks at the same customers: a window earlier, to learn from, and at the cutoff, to be judged."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import ibis
import numpy as np

from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Split, Stage
from omniretail.splits.temporal import Temporal
from omniretail.views.cached import load_fold
from omniretail.views.histories import Histories
from omniretail.views.train import Train


@dataclass(frozen=True)
class TwoWindows:
    """What encoders and probes may know.

    Attributes:
        before: everything before the earlier cutoff: what encoders learn from.
        now: everything before the cutoff; its users are the customers judged.
        window_before: the events between the two, from which probes learn what happens next.
        window: the events after the cutoff, by which probes are judged.
    """

    before: Train
    now: Train
    window_before: ibis.Table
    window: ibis.Table


def two_windows(tables: Tables, split: Split, stage: Stage, cache: Path) -> TwoWindows:
    """The two looks of one stage.

    Raises:
        DataError: where the split is not by time, or the log is too short for two windows.
    """
    if not isinstance(split, Temporal):
        raise DataError("profiles are judged by what customers do next: choose split=temporal")
    if not tables.card.clock:
        raise DataError(f"{tables.card.title} holds an order only; a profile needs dates, so choose another source")
    if stage == "val":  # one window earlier: the test window is not looked at
        end = split.cutoff(tables.events, "test").at
        assert end is not None
        split = dataclasses.replace(split, end=end.isoformat())
    earlier, later = (split.cutoff(tables.events, each) for each in ("val", "test"))
    return TwoWindows(
        before=load_fold(tables, split, "val", cache).train,
        now=load_fold(tables, split, "test", cache).train,
        window_before=earlier.held_out,
        window=later.held_out,
    )


def aligned(now: Train, before: Train) -> Histories:
    """The later histories in the earlier numbering; events of items not known then are left out.

    Baskets are counted anew, so that those left empty are none.
    """
    histories = now.histories
    item = before.items.encode(now.items.ids.to_numpy())[histories.item_idx]
    known = item >= 0
    kept = dataclasses.replace(
        histories,
        user_idx=before.users.encode(now.users.ids.to_numpy())[np.maximum(histories.user_idx, 0)],
        item_idx=np.maximum(item, 0),
        n_items=len(before.items),
        event_type=np.maximum(before.event_types.encode(now.event_types.ids.to_numpy()), 0)[
            histories.event_type
        ].astype(np.int8),
        channel=np.maximum(before.channels.encode(now.channels.ids.to_numpy()), 0)[histories.channel].astype(np.int8),
        store=_stores(now, before),
    ).keep(known)
    return dataclasses.replace(kept, basket=_counted(kept))


def date_text(at: int) -> str:
    """For people, e.g. ``2017-12-04``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _stores(now: Train, before: Train) -> np.ndarray:
    if not len(now.stores):
        return now.histories.store
    number = before.stores.encode(now.stores.ids.to_numpy())
    return np.where(now.histories.store >= 0, number[now.histories.store], -1).astype(np.int32)


def _counted(histories: Histories) -> np.ndarray:
    """Number of each event's basket among those that are left."""
    rows, basket = histories.rows, histories.basket
    new = np.ones(len(rows), dtype=np.int64)
    new[1:] = (rows[1:] != rows[:-1]) | (basket[1:] != basket[:-1])
    number = np.cumsum(new) - 1
    first = np.zeros(len(histories), dtype=np.int64)
    full = histories.lengths > 0
    first[full] = number[histories.offsets[:-1][full]]
    return (number - first[rows]).astype(np.int32)
