"""Every user is cut at the same time: events before it are learned from, the next ``horizon_days`` are judged."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import ibis
from ibis import _

from omniretail.core.times import from_local, parse_utc, to_local
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, is_empty, judged, require_stage


@dataclass(frozen=True)
class Temporal:
    """Windows ``[start, end)`` of ``horizon_days``: the last one is test, the one before it validation.

    Args:
        horizon_days: length of each window, in days.
        end: end of the test window, ISO 8601, UTC where it has no offset; None: midnight after the last event.
        zone: IANA name of the time zone of that midnight, and of the days before it, of which one in spring has 23
            hours; None: the zone of the dataset, or UTC where there is none. Days before an ``end`` have 24 hours.
        refit: see ``Split``.
    """

    horizon_days: int = 28
    end: str | None = None
    zone: str | None = field(default=None, repr=False)
    refit: bool = field(default=True, repr=False)

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where no event lies before the window, or none in it.
            SettingsError: where ``end`` is no time, or the stage is neither ``val`` nor ``test``.
        """
        start, end = self._window(events, stage)
        before = events.filter(_.timestamp < start)
        held_out = judged(events.filter(_.timestamp >= start, _.timestamp < end))
        for part, place in ((before, f"before {start}"), (held_out, f"in the {stage} window [{start}, {end})")):
            if is_empty(part):
                raise DataError(f"split=temporal: no events {place}; choose another split.horizon_days or split.end")
        return Cutoff(before, held_out, start)

    def _window(self, events: ibis.Table, stage: Stage) -> tuple[datetime, datetime]:
        require_stage(stage)
        horizon = timedelta(days=self.horizon_days)
        earlier = horizon if stage == "val" else timedelta(0)
        if self.end is not None:
            end = parse_utc(self.end) - earlier
            return end - horizon, end
        zone = self.zone or "UTC"
        last = events["timestamp"].max().to_pyarrow().as_py()
        if last is None:
            raise DataError("split=temporal: there are no events")
        local = to_local(last, zone)
        midnight = datetime(local.year, local.month, local.day) + timedelta(days=1) - earlier
        return from_local(midnight - horizon, zone), from_local(midnight, zone)
