"""The views that are audited. Each takes ``AsOf`` and gives columns by name: one of your own does the same."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from ibis import _

from omniretail.audit.as_of import AsOf
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.table import ProfileTable
from omniretail.o2o.offers.tianchi import Window, contest_rows
from omniretail.o2o.uplift.experiment_rows import experiment
from omniretail.profile.tags import learn, tags_from
from omniretail.schema import DataError
from omniretail.views.histories import PER_EVENT
from omniretail.views.offers.rows import offer_rows
from omniretail.views.profile.basket_events import EventCoding
from omniretail.views.profile.recency_frequency import recency_frequency as counted
from omniretail.views.stores import visits as stores
from omniretail.views.stores.nearby_choices import store_choices as choices
from omniretail.views.train import Train

Columns = Mapping[Any, Any] | pd.DataFrame
"""Arrays or series by name, which need not be of one length; or a data frame."""


def training(known: AsOf) -> Columns:
    """The training arrays, all that a recommender or an encoder learns from."""
    return arrays(known.train)


def arrays(train: Train) -> dict[str, np.ndarray]:
    """Every array of a training set, by name."""
    histories = train.histories
    named = {name: np.asarray(getattr(histories, name)) for name in ("user_idx", "offsets", "n_items", *PER_EVENT)}
    for name in ("users", "items", "event_types", "channels", "stores"):
        named[name] = getattr(train, name).ids.to_numpy()
    for table, frame in (("item", train.item_table), ("user", train.user_table)):
        named |= {} if frame is None else {f"{table}.{column}": frame[column].to_numpy() for column in frame}
    return named | {"at": np.asarray(train.at), "zone": np.asarray(train.zone)}


def profile_table(known: AsOf) -> Columns:
    """The readable features of every customer."""
    return ProfileTable().fit(known.train).table(known.train.histories, known.train.at)


def encoder_input(known: AsOf, item_columns: Sequence[str], max_items: int) -> Columns:
    """What network encoders read of a customer's history: baskets as codes and numbers."""
    coding = EventCoding.of(known.train, item_columns, max_items)
    baskets = coding.baskets(known.train.histories)
    return {**coding.arrays(), **vars(baskets)}


def embedding(known: AsOf, encoder: ProfileEncoder) -> Columns:
    """The vectors of one encoder, fitted anew."""
    vectors = encoder.fit(known.train).embed(known.train.histories, known.train.at)
    return pd.DataFrame(vectors).add_prefix("dimension ")


def tags(known: AsOf, rules: Mapping[str, Any]) -> Columns:
    """Who has which tag, and the thresholds that were learned."""
    profile = ProfileTable().fit(known.train)
    table = profile.table(known.train.histories, known.train.at)
    learned = learn(tags_from(rules), table, profile.features())
    said = {f"threshold {feature} {q:g}": np.asarray(value) for (feature, q), value in learned.thresholds.items()}
    return {**dict(learned.apply(table).items()), **said}


def recency_frequency(known: AsOf) -> Columns:
    """What models of lifetime value know."""
    found = counted(known.tables.events, at=known.at, zone=known.tables.card.zone)
    return found.order_by("user_id").to_pandas()


def visits(known: AsOf) -> Columns:
    """Where customers shop and what stores sell, as policies and store models are told.

    Raises:
        DataError: where the log names no stores.
    """
    train = known.train
    if not len(train.stores):
        raise DataError("this log has no store_id")
    made = vars(stores.visits(train.histories))
    own = {choice: stores.own_store(train.histories, choice, 0) for choice in ("most_frequent", "last")}
    sold = stores.sold(train, weeks=8)
    return {**made, **own, "sold": sold.data, "sold.indices": sold.indices, "sold.indptr": sold.indptr}


def store_choices(known: AsOf) -> Columns:
    """Visits to the stores at hand; this view has no moment of its own and is given the events before it."""
    return vars(choices(replace(known.tables, events=known.cutoff.before)))


def offers(known: AsOf, levels: Sequence[str], words: bool = True) -> Columns:
    """The rows of every mailing up to the moment, with what had become of those that were over."""
    found = offer_rows(known.tables, levels, words, until=known.at)
    at = np.datetime64(known.at, "us")
    sent = found.take(found.sent_at <= at)
    return {"user_id": sent.user_id, "offer_id": sent.offer_id, **dict(sent.rows.items()), "outcome": sent.outcome(at)}


def uplift(known: AsOf, campaigns: int = 2) -> Columns:
    """Features of the last campaigns that had begun; who bought in their time is what is judged, and left out.

    Raises:
        DataError: where there are no offers, or none had begun.
    """
    if known.tables.offers is None or known.tables.offer_events is None:
        raise DataError(f"{known.tables.card.title} has no offers")
    begun = known.tables.offers.filter(_.start <= known.at, _.start > known.tables.events.timestamp.min())
    about = begun.select("offer_id", "start", "end").order_by(["start", "offer_id"]).to_pandas().tail(campaigns)
    if about.empty:
        raise DataError(f"no offer had begun by {known.at}")
    found = experiment(known.tables, about)
    return {"user_id": found.user_id, "offer_id": found.offer_id, **dict(found.x.items())}


def contest(known: AsOf) -> Columns:
    """The Tianchi contest's rows of the receipts of the day that begins at the moment, labels left out."""
    found = contest_rows(known.tables, Window(known.at, known.at + timedelta(days=1)))
    return pd.concat([found.keys, found.rows], axis=1)
