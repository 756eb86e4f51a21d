"""Sessions: what follows each prefix of the newest ones, learned from older sessions alone."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, get_args

import ibis
from ibis import _

from omniretail.core.checks import above, at_least, between, one_of
from omniretail.core.times import from_local, to_local
from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, is_empty, judged, require_stage
from omniretail.splits.file_order import in_file_order

TestRows = Literal["sessions", "prefixes"]


@dataclass(frozen=True)
class Session:
    """Predict the next event of a session from those before it, for every prefix of every test session.

    A session is a basket of a user (a visit, see ``basket_id``); in a log without baskets, all that a user did. Users
    are anonymous: each session is a user of its own, and so is each prefix of a judged one, whose history is the prefix
    and is known when they are asked. No event of a test session is learned from, nor, for validation, of a validation
    one.

    Where events have a ``fold``, test is the file's, and validation the sessions of training that begin last. Else test
    are the sessions that begin in the last ``horizon_days``, validation those of as many days before; what older
    sessions do after that line is left out.

    Args:
        horizon_days: length of each window, in days.
        val_share: share of the training sessions that validation holds out, where events have a fold.
        test_rows: what the file's test holds: ``sessions``, judged at every prefix; or ``prefixes`` written out, each
            judged by its last event alone.
        max_history: events of a prefix, the newest, that a history holds.
        zone: IANA name of the time zone of the midnight that ends the test window; None: that of the dataset.
        refit: see ``Split``.
    """

    horizon_days: float = 1
    val_share: float = 0.1
    test_rows: TestRows = "sessions"
    max_history: int = 100
    zone: str | None = field(default=None, repr=False)
    refit: bool = field(default=True, repr=False)

    def __post_init__(self) -> None:
        above(self, "horizon_days")
        between(self, "val_share")
        at_least(self, "max_history", low=1)
        one_of(self, "test_rows", get_args(TestRows))

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where no session is left to learn from, or none of two events to judge by.
        """
        require_stage(stage)
        sessions = _numbered(in_file_order(events))
        written_out = "fold" in events.columns and stage == "test" and self.test_rows == "prefixes"
        cut = self._by_fold(sessions, stage) if "fold" in events.columns else self._by_time(sessions, stage)
        before, queries = (
            part.drop("session_start", "fold") if "fold" in part.columns else part.drop("session_start") for part in cut
        )
        targets = queries.filter(_.position > 0)
        if written_out:
            targets = targets.filter(_.position == _.position.max().over(group_by="user_id"))
        held_out = judged(targets.mutate(user_id=_prefix_id(_.user_id, _.position)))
        for part, what in ((before, "session to learn from"), (held_out, f"{stage} session of two events or more")):
            if is_empty(part):
                raise DataError(f"split=session: no {what}; choose another split.horizon_days or split.val_share")
        return Cutoff(before.drop("position"), held_out.drop("position"), histories=self._prefixes(queries, targets))

    def _by_fold(self, sessions: ibis.Table, stage: Stage) -> tuple[ibis.Table, ibis.Table]:
        train = sessions.filter(_.fold == "train")
        if stage == "test":
            return train, sessions.filter(_.fold == "test")
        starts = train.select("user_id", "session_start").distinct()
        newest = ibis.row_number().over(order_by=[_.session_start.desc(), _.user_id.desc()])
        n_held_out = (starts.count() * self.val_share).ceil().as_scalar()
        held_out = starts.mutate(_newest=newest).filter(_["_newest"] < n_held_out)
        return train.anti_join(held_out, "user_id"), train.semi_join(held_out, "user_id")

    def _by_time(self, sessions: ibis.Table, stage: Stage) -> tuple[ibis.Table, ibis.Table]:
        start, end = self._window(sessions, stage)
        earlier = sessions.filter(_.timestamp < end)
        return earlier.filter(_.timestamp < start), earlier.filter(_.session_start >= start)

    def _window(self, sessions: ibis.Table, stage: Stage) -> tuple[datetime, datetime]:
        """Of the beginnings of the judged sessions, ``[start, end)``."""
        last = sessions["timestamp"].max().to_pyarrow().as_py()
        if last is None:
            raise DataError("split=session: there are no events")
        zone, horizon = self.zone or "UTC", timedelta(days=self.horizon_days)
        local = to_local(last, zone)
        midnight = datetime(local.year, local.month, local.day) + timedelta(days=1)
        end = midnight - (horizon if stage == "val" else timedelta(0))
        return from_local(end - horizon, zone), from_local(end, zone)

    def _prefixes(self, queries: ibis.Table, targets: ibis.Table) -> ibis.Table:
        """Each target's earlier events in its session, as the history of a user of its own."""
        ends = targets.select(user_id=targets.user_id, _end=targets.position)
        joined = queries.inner_join(ends, "user_id")
        earlier = joined.filter(_.position < _["_end"], _.position >= _["_end"] - self.max_history)
        return earlier.mutate(user_id=_prefix_id(_.user_id, _["_end"])).drop("_end", "position")


def _numbered(events: ibis.Table) -> ibis.Table:
    """Events with their session as ``user_id``, ``position`` in it from 0, and ``session_start``; without baskets."""
    user = events.user_id.cast("string")
    if "basket_id" in events.columns:
        visit = user + ", session " + events.basket_id.cast("string")
        sessions = events.mutate(user_id=events.basket_id.isnull().ifelse(user, visit)).drop("basket_id")
    else:
        sessions = events.mutate(user_id=user)
    nth = ibis.row_number().over(group_by="user_id", order_by=["timestamp", "file_order"])
    return sessions.mutate(position=nth, session_start=_.timestamp.min().over(group_by="user_id"))


def _prefix_id(session: ibis.Deferred, n: ibis.Deferred) -> ibis.Deferred:
    return session + " after " + n.cast("string")
