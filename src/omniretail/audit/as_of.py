"""What a view is asked with, and the moments at which views are audited."""

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
    """A log and the moment up to which a view may look.

    Attributes:
        tables: the whole log, what comes after the moment included: it is the view that must not let it through.
        at: UTC without a zone. Events and redemptions are known strictly before it, mailings up to it.
    """

    tables: Tables
    at: datetime

    @cached_property
    def cutoff(self) -> Cutoff:
        """The line through the events."""
        events = self.tables.events
        return Cutoff(events.filter(_.timestamp < self.at), events.filter(_.timestamp >= self.at), self.at)

    @cached_property
    def train(self) -> Train:
        """The training arrays, made once for all views that read them."""
        return training_view(self.tables, self.cutoff)


def audit_times(tables: Tables, split: Split) -> list[datetime]:
    """The split's test cutoff, and a moment in the middle: of the mailings where there are offers, else of the log.

    Raises:
        DataError: where the log knows no moments, only an order.
    """
    if not tables.card.clock:
        raise DataError(
            f"{tables.card.title} holds an order only; the audit changes what comes after a moment, so choose a source "
            "with dates"
        )
    at = split.cutoff(tables.events, "test").at
    if at is None:
        raise DataError("the audit changes what comes after a moment, and this split has none: choose split=temporal")
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
