"""Each user's last event is test, the one before it validation (leave-one-out)."""

from dataclasses import dataclass

import ibis

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage


@dataclass(frozen=True)
class LeaveLast:
    """The protocol of the sequential-recommendation papers (SASRec, S3-Rec).

    Args:
        min_events: users with fewer stay in training whole and are not judged.
    """

    min_events: int = 3

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``. Ties in time are broken by item id.

        Raises:
            DataError: where no user has ``min_events``.
        """
        newest_first = [events.timestamp.desc(), events.item_id.desc()]
        ranked = events.mutate(
            _from_end=ibis.row_number().over(group_by=events.user_id, order_by=newest_first),
            _n=events.count().over(group_by=events.user_id),
        )
        judged = ranked._n >= self.min_events
        position = 0 if stage == "test" else 1
        held_out = ranked.filter(judged & (ranked._from_end == position))
        before = ranked.filter(~judged | (ranked._from_end > position))
        if held_out.count().execute() == 0:
            raise DataError(f"split=leave_last: no user has {self.min_events} events; lower split.min_events")
        return Cutoff(before.drop("_from_end", "_n"), held_out.drop("_from_end", "_n"))
