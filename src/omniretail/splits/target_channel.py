"""Events of one channel are judged; events of the other channels before the cutoff may be learned from."""

from dataclasses import dataclass

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Split, Stage, is_empty
from omniretail.splits.file_order import in_file_order


@dataclass(frozen=True)
class TargetChannel:
    """Cut the target channel's events by another split, and the other channels' at the same time.

    Where each user is cut by position, events in other channels end at the user's first held-out event; where events
    have a ``fold``, those of the fold ``train`` are learned from.

    Args:
        channel: the target channel.
        split: cuts its events.
    """

    channel: str
    split: Split

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
        return Cutoff(cut.before.union(others.select(*cut.before.columns)), cut.held_out, cut.at)
