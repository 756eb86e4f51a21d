"""Two cutoffs, one window apart: encoders and probes learn at the earlier one and are evaluated at the later one."""

import dataclasses
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.splits.cutoff import Cutoff, Stage, bought
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import training_view
from omniretail.views.histories import CATEGORY, Histories, consecutive_baskets
from omniretail.views.train import Train


@dataclass(frozen=True)
class TwoWindows:
    """Two consecutive windows and what lies before each.

    Attributes:
        earlier: everything before the earlier cutoff; encoders learn from it.
        later: everything before the later cutoff; its users are the customers evaluated.
        earlier_window: the purchases between the two cutoffs; probes learn from it what customers do next.
        later_window: the purchases after the later cutoff; probes are evaluated on it.
    """

    earlier: Train
    later: Train
    earlier_window: ibis.Table
    later_window: ibis.Table


def two_windows(data: Dataset, stage: Stage) -> TwoWindows:
    """The windows of one stage; the later one is the stage's own.

    Raises:
        DataError: where the split is not by time, or the log is too short for two windows.
    """
    data = last_window_is(data, stage)
    events, split = data.tables.feedback, data.required_split()
    return TwoWindows(
        earlier=data.fold("val").train,
        later=data.fold("test").train,
        earlier_window=bought(split.cutoff(events, "val").held_out),
        later_window=bought(split.cutoff(events, "test").held_out),
    )


def whole_log(data: Dataset) -> TwoWindows:
    """All events on both sides, and windows without any: for questions that do not change over time."""
    events = data.tables.feedback
    last = events.timestamp.max().to_pyarrow().as_py()
    none = events.limit(0)
    train = training_view(data.tables, Cutoff(events, none, last + timedelta(seconds=1)))
    return TwoWindows(train, train, none, none)


def last_window_is(data: Dataset, stage: Stage) -> Dataset:
    """The data split so that its test window is the stage's; for ``val`` the log ends at the test cutoff.

    Raises:
        DataError: where the split is not by time, or the log has no dates.
    """
    split, card = data.required_split(), data.tables.card
    if not isinstance(split, Temporal):
        raise DataError("profiles are evaluated by what customers do next: choose split=temporal")
    if not card.clock:
        raise DataError(f"{card.title} has an order of events only; a profile needs dates, so choose another source")
    if stage == "test":
        return data
    end = split.cutoff(data.tables.feedback, "test").at
    assert end is not None
    return data.with_split(dataclasses.replace(split, end=end.isoformat()))


def aligned(later: Train, earlier: Train) -> Histories:
    """The later histories under the earlier indices; events of items unknown to the earlier catalogue are left out.

    Baskets are numbered anew, so that none is empty.
    """
    histories = later.histories
    item = earlier.items.encode(later.items.ids.to_numpy())[histories.item_idx]
    kind = earlier.event_types.encode(later.event_types.ids.to_numpy())
    channel = earlier.channels.encode(later.channels.ids.to_numpy())
    renumbered = dataclasses.replace(
        histories,
        user_idx=earlier.users.encode(later.users.ids.to_numpy())[np.maximum(histories.user_idx, 0)],
        item_idx=np.maximum(item, 0),
        n_items=len(earlier.items),
        event_type=kind[histories.event_type].astype(CATEGORY),
        channel=channel[histories.channel].astype(CATEGORY),
        store=_stores(later, earlier),
    ).keep(item >= 0)
    return dataclasses.replace(renumbered, basket=consecutive_baskets(renumbered))


def date_text(at: int) -> str:
    """Seconds since 1970 for people, e.g. ``2017-12-04``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")


def _stores(later: Train, earlier: Train) -> np.ndarray:
    if not len(later.stores):
        return later.histories.store
    number = earlier.stores.encode(later.stores.ids.to_numpy())
    return np.where(later.histories.store >= 0, number[later.histories.store], -1).astype(np.int32)
