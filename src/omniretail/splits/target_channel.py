"""One channel is judged; what is known of the others may help."""

from dataclasses import dataclass

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Split, Stage, is_empty


@dataclass(frozen=True)
class TargetChannel:
    """Cut the target channel's events by another split, and know the other channels' up to the same moment.

    Where each user is cut by position, a user's events in other channels count from before their first held-out one;
    where files come with a ``fold``, those of the fold ``train`` count.

    Args:
        channel: the target.
        split: how its events are cut.
    """

    channel: str
    split: Split

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where the log has no such channel.
        """
        target, others = events.filter(_.channel == self.channel), events.filter(_.channel != self.channel)
        if is_empty(target):
            known = sorted(events.select("channel").distinct().to_pandas().channel)
            raise DataError(f"the log has no channel {self.channel!r}; choose target among {', '.join(known)}")
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
