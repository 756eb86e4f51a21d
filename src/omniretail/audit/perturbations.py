"""Changed futures: the same log up to a cutoff, and other events after it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from pandas.api.types import is_numeric_dtype

from omniretail.schema import DataError, Tables
from omniretail.views.histories import AMOUNTS

Perturbation = Callable[[Tables, datetime, np.random.Generator], Tables]
"""Takes tables, a cutoff and a random generator; returns tables that differ after the cutoff."""

_NEW_KIND, _N_NEW_OFFERS = "an unseen kind", 2


def no_events(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """Remove all events after the cutoff."""
    return replace(tables, events=tables.events.filter(_.timestamp < at))


def other_events(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """Replace later events by as many with other customers, items, stores, times and amounts."""
    later = _later(tables, at)
    mixed = {name: rng.permutation(later[name].to_numpy()) for name in _ids(later)}
    amounts = {name: later[name] * -9 for name in AMOUNTS if name in later}
    shift = pd.to_timedelta(rng.integers(0, 7 * 24 * 3600, len(later)), unit="s")
    changed = later.assign(**mixed, **amounts, timestamp=later.timestamp + shift)
    return replace(tables, events=_with_rows(tables.events.filter(_.timestamp < at), changed))


def more_events(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """Add every later event for another customer, and for a new customer with a new item in a new store."""
    later = _later(tables, at)
    others = later.assign(user_id=rng.permutation(later.user_id.to_numpy()))
    new = later.assign(**{name: _unseen(pd.Series(later[name]), tables.events[name]) for name in _ids(later)})
    amounts = {name: 5.0 for name in ("value", "discount", "coupon") if name in later}
    return replace(tables, events=_with_rows(tables.events, pd.concat([others.assign(**amounts), new])))


def no_redemptions(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """Remove all later redemptions."""
    events = _offer_events(tables)
    return replace(tables, offer_events=events.filter((_.event_type == "sent") | (_.timestamp < at)))


def more_redemptions(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """Redeem every offer that was sent by the cutoff, at the cutoff or when it is sent."""
    events = _offer_events(tables)
    sent = events.filter(_.event_type == "sent", _.timestamp <= at).to_pandas()
    used = sent.assign(event_type="redeemed", timestamp=sent.timestamp.clip(lower=pd.Timestamp(at)))
    return replace(tables, offer_events=_with_rows(events, used))


def other_mailings(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """Replace later mailings by new offers of an unseen kind, sent to every customer, that cover existing items."""
    events = _offer_events(tables)
    users = events.select("user_id").distinct().to_pandas().user_id
    assert tables.offers is not None
    offers = tables.offers.order_by("offer_id").limit(_N_NEW_OFFERS).to_pandas()
    offers = offers.assign(offer_id=_unseen(offers.offer_id, tables.offers.offer_id), kind=_NEW_KIND)
    offers = offers.assign(start=at + timedelta(days=1), end=at + timedelta(days=30))
    late = [(user, offer, at + timedelta(days=day)) for day, offer in enumerate(offers.offer_id, 1) for user in users]
    sent = pd.DataFrame(late, columns=["user_id", "offer_id", "timestamp"]).assign(event_type="sent")
    early = events.filter((_.event_type == "redeemed") | (_.timestamp <= at))
    covered = _covered(tables, offers.offer_id.to_numpy(), rng)
    return replace(
        tables,
        offers=_with_rows(tables.offers, offers),
        offer_events=_with_rows(early, sent.reindex(columns=list(events.columns))),
        **({} if tables.offer_items is None else {"offer_items": _with_rows(tables.offer_items, covered)}),
    )


def another_past(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """The control: remove the second half of the time before the cutoff."""
    first = tables.events.timestamp.min().to_pyarrow().as_py()
    middle = first + (at - first) / 2
    return replace(tables, events=tables.events.filter((_.timestamp < middle) | (_.timestamp >= at)))


def everything(tables: Tables, at: datetime, rng: np.random.Generator) -> Tables:
    """All changes of the future at once."""
    of_offers = (more_redemptions, other_mailings) if _has_offers(tables) else ()
    for change in (other_events, more_events, *of_offers):
        tables = change(tables, at, rng)
    return tables


def perturbations(tables: Tables) -> dict[str, Perturbation]:
    """The changes of the future that apply to this log, by name."""
    of_events = {"events removed": no_events, "events changed": other_events, "events added": more_events}
    if not _has_offers(tables):
        return of_events
    of_offers = {"redemptions removed": no_redemptions, "redemptions added": more_redemptions}
    return of_events | of_offers | {"mailings changed": other_mailings}


def _has_offers(tables: Tables) -> bool:
    return tables.offers is not None and tables.offer_events is not None


def _later(tables: Tables, at: datetime) -> pd.DataFrame:
    later = tables.events.filter(_.timestamp >= at).to_pandas()
    if later.empty:
        raise DataError(f"no event lies at or after {at}, so there is nothing to change: choose an earlier audit.at")
    return later


def _offer_events(tables: Tables) -> ibis.Table:
    assert tables.offer_events is not None
    return tables.offer_events


def _with_rows(table: ibis.Table, rows: pd.DataFrame) -> ibis.Table:
    """The table with rows added, cast to its types."""
    added = ibis.memtable(rows[list(table.columns)].reset_index(drop=True))
    return ibis.union(table, added.cast(table.schema()))


def _ids(rows: pd.DataFrame) -> list[str]:
    return [str(name) for name in rows if str(name).endswith("_id")]


def _unseen(ids: pd.Series, column: Any) -> pd.Series:
    """New ids in place of ids, of the same type and absent from the column; missing ones stay missing."""
    if not is_numeric_dtype(ids):
        return "new " + ids.astype("string")
    number = pd.Series(pd.factorize(ids)[0], index=ids.index)
    return (1 + int(column.max().to_pyarrow().as_py() or 0) + number).where(ids.notna())


def _covered(tables: Tables, offers: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
    items = tables.events.select("item_id").distinct().order_by("item_id").to_pandas().item_id.to_numpy()
    some = rng.choice(items, min(len(items), 200), replace=False)
    return pd.DataFrame({"offer_id": np.repeat(offers, len(some)), "item_id": np.tile(some, len(offers))})
