"""Events of one channel are judged; events of the other channels before the cutoff may be learned from."""

import logging
from dataclasses import dataclass, field
from typing import Literal, get_args

import ibis
from ibis import _

from omniretail.core.checks import one_of
from omniretail.core.engine import count
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Split, Stage, is_empty
from omniretail.splits.duplicate_items import duplicate_items
from omniretail.splits.file_order import in_file_order

log = logging.getLogger(__name__)

DuplicateItems = Literal["keep", "drop"]


@dataclass(frozen=True)
class TargetChannel:
    """Cut the target channel's events by another split, and the other channels' at the same time.

    Where each user is cut by position, events in other channels end at the user's first held-out event; where events
    have a ``fold``, those of the fold ``train`` are learned from.

    Args:
        channel: the target channel.
        split: cuts its events.
        duplicate_items: ``drop`` leaves products that are sold in the target channel too, under another id, out of the
            other channels (``splits.duplicate_items``, by the events before the cutoff alone); ``keep`` leaves them in.
        refit: see ``Split``.
    """

    channel: str
    split: Split
    duplicate_items: DuplicateItems = "keep"
    refit: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        one_of(self, "duplicate_items", get_args(DuplicateItems))

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where the log has no such channel.
        """
        events = in_file_order(events)
        target, others = events.filter(_.channel == self.channel), events.filter(_.channel != self.channel)
        if is_empty(target):
            channels = ", ".join(sorted(events.select("channel").distinct().to_pandas().channel))
            raise DataError(f"the log has no channel {self.channel!r}; choose target_channel among {channels}")
        cut = self.split.cutoff(target, stage)
        if cut.at is not None:
            others = others.filter(_.timestamp < cut.at)
        elif "fold" in events.columns:
            others = others.filter(_.fold == "train").drop("fold")
        else:
            first = cut.held_out.group_by("user_id").agg(_first=_.timestamp.min())
            dated = others.left_join(first, "user_id").drop("user_id_right")
            others = dated.filter(_["_first"].isnull() | (_.timestamp < _["_first"])).drop("_first")
        if self.duplicate_items == "drop":
            others = self._without_duplicates(cut.before, others)
        return Cutoff(cut.before.union(others.select(*cut.before.columns)), cut.held_out, cut.at)

    def _without_duplicates(self, target: ibis.Table, others: ibis.Table) -> ibis.Table:
        """The other channels' events before the cutoff, without products that the target channel sells too."""
        own, theirs = (events.select("user_id", "item_id").distinct().to_pandas() for events in (target, others))
        same = dict.fromkeys(duplicate_items(own, theirs)[1])
        remaining = others.filter(~_.item_id.isin(list(same)))
        dropped = count(others) - count(remaining)
        log.info("%s: dropped: item of another channel that it sells too %s", self.channel, f"{dropped:,}")
        return remaining
