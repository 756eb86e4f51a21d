"""Each user's last event is test, the one before it validation (leave-one-out)."""

from dataclasses import dataclass

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, cut_by_position, is_empty


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
        newest_first = [_.timestamp.desc(), _.item_id.desc()]
        numbered = events.mutate(
            position=ibis.row_number().over(group_by=_.user_id, order_by=newest_first),
            total=_.count().over(group_by=_.user_id),
        )
        cut = cut_by_position(numbered, stage, self.min_events)
        if is_empty(cut.held_out):
            raise DataError(f"split=leave_last: no user has {self.min_events} events; lower split.min_events")
        return cut
