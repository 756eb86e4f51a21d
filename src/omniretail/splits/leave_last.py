"""Each user's last event is test, the one before it validation (leave-one-out)."""

from dataclasses import dataclass, field
from typing import Any

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, cut_by_position, is_empty
from omniretail.splits.file_order import in_file_order, log_ties_at_cut


@dataclass(frozen=True)
class LeaveLast:
    """The protocol of the sequential-recommendation papers (SASRec, S3-Rec).

    Args:
        min_events: users with fewer stay in training whole and are not judged.
        refit: see ``Split``.
    """

    min_events: int = 3
    refit: bool = field(default=True, repr=False)

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``. Ties in time keep the file's order; how many users have some at the cut is logged.

        Raises:
            DataError: where no user has ``min_events``.
        """
        events = in_file_order(events)
        newest_first = [_.timestamp.desc(), _.file_order.desc()]
        counts: Any = events.judged.cast("int64") if "judged" in events.columns else ibis.literal(1)
        marked = events.mutate(_counted=counts)
        until = ibis.window(group_by="user_id", order_by=newest_first, preceding=None, following=0)
        counted: Any = marked["_counted"]
        numbered = marked.mutate(
            position=counted.sum().over(until) - counted, total=counted.sum().over(group_by="user_id")
        ).drop("_counted")
        cut = cut_by_position(numbered, stage, self.min_events)
        if is_empty(cut.held_out):
            raise DataError(f"split=leave_last: no user has {self.min_events} events; lower split.min_events")
        log_ties_at_cut(cut.before, cut.held_out)
        return cut
