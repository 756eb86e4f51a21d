"""The audited views: functions of ``AsOf`` that return columns by name. A view of your own does the same."""

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
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.ranking.features import RankingFacts
from omniretail.models.recommenders.two_stage import TwoStage
from omniretail.o2o.offers import tianchi
from omniretail.o2o.uplift import experiment_rows
from omniretail.profile.tags import learn, tags_from
from omniretail.schema import DataError
from omniretail.views.histories import PER_EVENT
from omniretail.views.offers.rows import offer_rows
from omniretail.views.profile import recency_frequency as rf
from omniretail.views.profile.basket_events import EventCoding
from omniretail.views.stores import nearby_choices
from omniretail.views.stores import visits as stores
from omniretail.views.train import Train

Columns = Mapping[Any, Any] | pd.DataFrame
"""Arrays or series by name, which need not have one length; or a data frame."""


def training(as_of: AsOf) -> Columns:
    """The training set: everything that a recommender or an encoder learns from."""
    return arrays(as_of.train)


def arrays(train: Train) -> dict[str, np.ndarray]:
    """Every array of a training set, by name."""
    histories = train.histories
    named = {name: np.asarray(getattr(histories, name)) for name in ("user_idx", "offsets", "n_items", *PER_EVENT)}
    for name in ("users", "items", "event_types", "channels", "stores"):
        named[name] = getattr(train, name).ids.to_numpy()
    for table, frame in (("item", train.item_table), ("user", train.user_table)):
        named |= {} if frame is None else {f"{table}.{column}": frame[column].to_numpy() for column in frame}
    return named | {"at": np.asarray(train.at), "zone": np.asarray(train.zone)}


def profile_table(as_of: AsOf) -> Columns:
    """The readable features of every customer."""
    return ProfileTable().fit(as_of.train).table(as_of.train.histories, as_of.train.at)


def encoder_input(as_of: AsOf, item_columns: Sequence[str], max_items: int) -> Columns:
    """Inputs of network encoders: baskets as codes and numbers."""
    coding = EventCoding.of(as_of.train, item_columns, max_items)
    baskets = coding.baskets(as_of.train.histories)
    return {**coding.arrays(), **vars(baskets)}


def embedding(as_of: AsOf, encoder: ProfileEncoder) -> Columns:
    """Embeddings of one encoder, fitted anew."""
    vectors = encoder.fit(as_of.train).embed(as_of.train.histories, as_of.train.at)
    return pd.DataFrame(vectors).add_prefix("dimension ")


def second_stage(as_of: AsOf, levels: Sequence[str], horizon_days: float, candidates: int) -> Columns:
    """What a second stage learns from, and the facts that its features read, with one member."""
    model = TwoStage({"personal_top": PersonalTop()}, candidates, levels=levels, horizon_days=horizon_days)
    facts = RankingFacts.of(as_of.train, levels)
    sales = {f"store sales {days}": matrix.data for days, matrix in facts.stores.items()}
    return {**vars(model.examples(as_of.train)), **facts.items, "item_values": facts.item_values, **sales}


def tags(as_of: AsOf, rules: Mapping[str, Any]) -> Columns:
    """Tags of every customer, and the learned thresholds."""
    profile = ProfileTable().fit(as_of.train)
    table = profile.table(as_of.train.histories, as_of.train.at)
    learned = learn(tags_from(rules), table, profile.features())
    thresholds = {f"threshold {feature} {q:g}": np.asarray(value) for (feature, q), value in learned.thresholds.items()}
    return {**dict(learned.apply(table).items()), **thresholds}


def recency_frequency(as_of: AsOf) -> Columns:
    """Inputs of models of lifetime value."""
    table = rf.recency_frequency(as_of.tables.purchases, at=as_of.at, zone=as_of.tables.card.zone)
    return table.order_by("user_id").to_pandas()


def visits(as_of: AsOf) -> Columns:
    """Where customers shop and what stores sell: inputs of policies and store models.

    Raises:
        DataError: where the log has no stores.
    """
    train = as_of.train
    if not len(train.stores):
        raise DataError("this log has no store_id")
    columns = vars(stores.visits(train.histories))
    own = {choice: stores.own_store(train.histories, choice, 0) for choice in ("most_frequent", "last")}
    sold = stores.sold(train, weeks=8)
    return {**columns, **own, "sold": sold.data, "sold.indices": sold.indices, "sold.indptr": sold.indptr}


def store_choices(as_of: AsOf) -> Columns:
    """Visits to the nearest stores; this view takes no cutoff, so it gets the events before it."""
    return vars(nearby_choices.store_choices(replace(as_of.tables, events=as_of.cutoff.before)))


def offers(as_of: AsOf, levels: Sequence[str], attribute_values: bool = True) -> Columns:
    """Features of every mailing up to the cutoff, and the outcomes of offers that ended before it."""
    rows = offer_rows(as_of.tables, levels, attribute_values, until=as_of.at)
    at = np.datetime64(as_of.at, "us")
    sent = rows.take(rows.sent_at <= at)
    return {"user_id": sent.user_id, "offer_id": sent.offer_id, **dict(sent.rows.items()), "outcome": sent.outcome(at)}


def uplift(as_of: AsOf, campaigns: int = 2) -> Columns:
    """Features of the last campaigns that began before the cutoff; their outcomes are not part of the view.

    Raises:
        DataError: where there are no offers, or none began.
    """
    tables = as_of.tables
    if tables.offers is None or tables.offer_events is None:
        raise DataError(f"{tables.card.title} has no offers")
    begun = tables.offers.filter(_.start <= as_of.at, _.start > tables.events.timestamp.min())
    last = begun.select("offer_id", "start", "end").order_by(["start", "offer_id"]).to_pandas().tail(campaigns)
    if last.empty:
        raise DataError(f"no offer began by {as_of.at}")
    return experiment_rows.experiment(tables, last).rows.reset_index()


def contest(as_of: AsOf) -> Columns:
    """Rows of the Tianchi contest for receipts of the day that begins at the cutoff, without labels."""
    window = tianchi.Window(as_of.at, as_of.at + timedelta(days=1))
    rows = tianchi.contest_rows(as_of.tables, window)
    return pd.concat([rows.keys, rows.rows], axis=1)
