"""The input of an audited view, and the times at which views are audited."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from ibis import _

from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Cutoff, Split
from omniretail.views.fold import training_view
from omniretail.views.train import Train


@dataclass(frozen=True)
class AsOf:
    """A log and the cutoff of a view.

    Attributes:
        tables: the whole log, events after the cutoff included; a view must not depend on those.
        at: the cutoff, UTC without a zone. A view may use events and redemptions before it, and mailings up to it.
    """

    tables: Tables
    at: datetime

    @cached_property
    def cutoff(self) -> Cutoff:
        """The events before and after the cutoff."""
        events = self.tables.feedback
        return Cutoff(events.filter(_.timestamp < self.at), events.filter(_.timestamp >= self.at), self.at)

    @cached_property
    def train(self) -> Train:
        """The training set, computed once for all views that read it."""
        return training_view(self.tables, self.cutoff)


def audit_times(tables: Tables, split: Split) -> list[datetime]:
    """The split's test cutoff, and a time in the middle of the mailings, or of the log where there are no offers.

    Raises:
        DataError: where the log or the split has no times.
    """
    if not tables.card.clock:
        raise DataError(
            f"{tables.card.title} has an order of events but no times, and the audit changes events after a time: "
            "choose another source"
        )
    at = split.cutoff(tables.feedback, "test").at
    if at is None:
        raise DataError("the audit changes events after a time, and this split has none: choose split=temporal")
    return sorted({at, _middle(tables)})


def _middle(tables: Tables) -> datetime:
    if tables.offer_events is not None:
        sent = tables.offer_events.filter(_.event_type == "sent").select("timestamp").distinct()
        days = sorted(sent.to_pandas().timestamp)
        if days:
            return days[len(days) // 2].to_pydatetime()
    first, last = (getattr(tables.events.timestamp, end)().to_pyarrow().as_py() for end in ("min", "max"))
    middle = first + (last - first) / 2
    return datetime(middle.year, middle.month, middle.day) + timedelta(days=1)
