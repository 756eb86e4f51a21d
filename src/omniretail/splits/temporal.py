"""Everybody is cut at one moment: the past is known, the next ``horizon_days`` are judged."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage


@dataclass(frozen=True)
class Temporal:
    """Windows ``[start, end)`` of ``horizon_days``: the last one is test, the one before it validation.

    Args:
        horizon_days: length of each window, in days.
        end: where the test window ends, UTC (ISO 8601); None: midnight after the last event.
    """

    horizon_days: int = 28
    end: str | None = None

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where no event lies before the window, or none in it.
        """
        horizon = timedelta(days=self.horizon_days)
        end = self._end(events) - (horizon if stage == "val" else timedelta(0))
        start = end - horizon
        before = events.filter(events.timestamp < start)
        held_out = events.filter((events.timestamp >= start) & (events.timestamp < end))
        for part, name in ((before, f"before {start:%Y-%m-%d}"), (held_out, f"in [{start:%Y-%m-%d}, {end:%Y-%m-%d})")):
            if part.count().execute() == 0:
                raise DataError(f"split=temporal: no events {name}; choose another split.horizon_days or split.end")
        return Cutoff(before, held_out, start)

    def _end(self, events: ibis.Table) -> datetime:
        if self.end is not None:
            return datetime.fromisoformat(self.end)
        last = events.timestamp.max().execute()
        if last is None:
            raise DataError("split=temporal: there are no events")
        return datetime(last.year, last.month, last.day) + timedelta(days=1)
