"""Every user is cut at the same time: events before it are learned from, the next ``horizon_days`` are judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
from ibis import _

from omniretail.core.times import parse_utc
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, is_empty


@dataclass(frozen=True)
class Temporal:
    """Windows ``[start, end)`` of ``horizon_days``: the last one is test, the one before it validation.

    Args:
        horizon_days: length of each window, in days.
        end: end of the test window, ISO 8601, UTC where it has no offset; None: midnight after the last event.
    """

    horizon_days: int = 28
    end: str | None = None

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where no event lies before the window, or none in it.
            ValueError: where ``end`` is no time.
        """
        horizon = timedelta(days=self.horizon_days)
        end = self._end(events) - (horizon if stage == "val" else timedelta(0))
        start = end - horizon
        before = events.filter(_.timestamp < start)
        held_out = events.filter(_.timestamp >= start, _.timestamp < end)
        for part, place in ((before, f"before {start}"), (held_out, f"in the {stage} window [{start}, {end})")):
            if is_empty(part):
                raise DataError(f"split=temporal: no events {place}; choose another split.horizon_days or split.end")
        return Cutoff(before, held_out, start)

    def _end(self, events: ibis.Table) -> datetime:
        if self.end is not None:
            return parse_utc(self.end)
        last = events["timestamp"].max().to_pyarrow().as_py()
        if last is None:
            raise DataError("split=temporal: there are no events")
        return datetime(last.year, last.month, last.day) + timedelta(days=1)
