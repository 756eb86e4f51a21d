"""Signals: a page view is never a purchase, and every view obeys."""

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

import omniretail as om
from omniretail.core.errors import DataError, SettingsError
from omniretail.serving.request_history import histories_of
from omniretail.signals import Signals
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items, user_items, weighted_user_items
from omniretail.views.profile.recency_frequency import recency_frequency

CASES = Path(__file__).parent / "cases"
LOG = pd.DataFrame(
    [
        *[("u", f"i{day}", f"2024-01-0{day}", "pv", 9.0) for day in (1, 2, 3)],
        ("u", "i1", "2024-01-04", "buy", 9.0),
        ("u", "i2", "2024-01-05", "buy", 5.0),
        ("u", "i3", "2024-01-06", "buy", 4.0),
        ("u", "i9", "2024-01-07", "pv", 9.0),
        ("w", "i1", "2024-01-01", "pv", 9.0),
    ],
    columns=["user_id", "item_id", "timestamp", "event_type", "value"],
)
WORDS = {"event_types": {"pv": "view", "buy": "purchase"}}


def events_of(cut: ibis.Table) -> list[str]:
    return sorted(cut.filter(cut.user_id == "u").to_pandas().item_id)


def test_a_page_view_is_no_purchase_on_any_page():
    log = pd.read_csv(CASES / "views_as_purchases.csv")
    data = om.Dataset.from_frames(log).with_split(om.splits.Temporal(horizon_days=28))
    model = om.models.ProfileTable()
    om.evaluate(model, data, None, "task.customer=c0", task="tags")
    population = om.findings(model).population
    row = list(population.train.users.ids).index("c0")
    assert population.train.histories.lengths[row] == 0
    assert population.table.spend.fillna(0).iloc[row] == 0
    assert population.table.visits.fillna(0).iloc[row] == 0
    window = data.required_split().cutoff(data.tables.feedback, "test").held_out
    assert window.filter(window.purchase)["value"].sum().to_pyarrow().as_py() == 590
    assert "c0" not in set(recency_frequency(data.tables.purchases, pd.Timestamp("2025-01-01")).to_pandas().user_id)


def test_a_refund_takes_no_part_in_repeat_purchases():
    data = om.Dataset.from_frames(pd.read_csv(CASES / "refund_by_negative_value.csv"))
    assert data.tables.changes == {"refunds by their sign": 1}
    assert sorted(data.tables.events.to_pandas().event_type) == ["purchase"] * 3 + ["refund"]
    counted = recency_frequency(data.tables.purchases, pd.Timestamp("2024-03-01")).to_pandas().set_index("user_id")
    assert counted.frequency.to_dict() == {"u": 0, "v": 1}
    assert data.tables.feedback.count().to_pyarrow().as_py() == 3


def test_negative_quantities_are_refunds_too():
    log = pd.DataFrame({"user_id": ["u", "u"], "item_id": ["a", "a"], "quantity": [2, -2]})
    data = om.Dataset.from_frames(log.assign(timestamp=["2024-01-01", "2024-01-02"]))
    assert data.tables.events.to_pandas()[["event_type", "quantity"]].to_numpy().tolist() == [
        ["purchase", 2.0],
        ["refund", 2.0],
    ]


def test_words_that_nobody_mapped_are_named_with_those_there_are():
    with pytest.raises(DataError, match=r"'pv' mean\? The log has 'buy', 'pv': .* 'source.signals={pv:view}'"):
        om.Dataset.from_frames(LOG)


@pytest.mark.parametrize(("words", "signals"), [(WORDS, {}), ({}, {"signals": {"pv": "view", "buy": "purchase"}})])
def test_views_are_learned_from_and_purchases_are_judged(words, signals):
    data = om.Dataset.from_frames(LOG, **words, **signals)
    last = om.splits.LeaveLast().cutoff(data.tables.feedback, "test")
    assert events_of(last.held_out) == ["i3"]
    assert events_of(last.before) == ["i1", "i1", "i2", "i2", "i3"]  # nothing after the purchase that is held out
    assert last.before.filter(last.before.user_id == "w").count().to_pyarrow().as_py() == 1
    window = om.splits.Temporal(horizon_days=2).cutoff(data.tables.feedback, "test")
    assert events_of(window.held_out) == ["i3"]


def test_baskets_of_views_are_not_held_out():
    log = LOG.assign(basket_id=LOG.timestamp)
    cut = om.splits.LastBasket().cutoff(om.Dataset.from_frames(log, **WORDS).tables.feedback, "val")
    assert events_of(cut.held_out) == ["i2"]
    assert events_of(cut.before) == ["i1", "i1", "i2", "i3"]


def test_one_setting_says_what_is_learned_from_and_judged():
    only = om.Dataset.from_frames(LOG, **WORDS, feedback={"purchase": 1.0}).tables.feedback
    assert events_of(only) == ["i1", "i2", "i3"]
    views = om.Dataset.from_frames(LOG, **WORDS, judged=["view"]).tables.feedback
    assert events_of(om.splits.LeaveLast().cutoff(views, "test").held_out) == ["i9"]


def test_weights_reach_the_matrix():
    data = om.Dataset.from_frames(LOG, **WORDS, feedback={"purchase": 1.0, "view": 0.25})
    train = data.with_split(om.splits.Temporal(horizon_days=2)).fold("test").train
    u, i1, i2 = (v.encode([name])[0] for v, name in ((train.users, "u"), (train.items, "i1"), (train.items, "i2")))
    assert user_items(train.histories)[u, i1] == pytest.approx(1.25)
    assert weighted_user_items(train.histories, "count")[u, i2] == pytest.approx(1.25)
    assert binary_user_items(train.histories)[u, i1] == 1
    assert np.isnan(train.histories.value[~train.histories.purchase]).all()  # a price that was seen is not paid


def test_ratings_by_a_threshold_or_as_a_weight():
    log = LOG[["user_id", "item_id", "timestamp"]].assign(rating=[1, 2, 3, 4, 5, 5, 5, 5])
    data = om.Dataset.from_frames(log, min_rating=4, weigh_ratings=True)
    assert set(data.tables.events.to_pandas().event_type) == {"rating"}
    assert sorted(data.tables.feedback.to_pandas().weight) == [4, 5, 5, 5, 5]


def test_a_log_of_purchases_is_left_as_it_is():
    tables = om.Dataset.from_frames(LOG.assign(event_type="purchase")).tables
    assert tables.feedback is tables.events
    assert tables.purchases is tables.events


def test_purchases_of_histories_number_their_baskets_anew():
    histories = Histories.of([[[0], [1], [2]], [[3]]], n_items=4)
    some = Histories(**{**vars(histories), "purchase": np.array([False, True, True, False])}).purchases()
    assert some.item_idx.tolist() == [1, 2]
    assert some.basket.tolist() == [0, 1]
    assert some.n_baskets.tolist() == [2, 0]


@pytest.mark.parametrize(
    "settings",
    [
        {"of": {"pv": "seen"}},
        {"feedback": {"view": -1.0}},
        {"feedback": {"refund": 1.0}},
        {"feedback": {"purchase": 1.0}, "judged": ["view"]},
    ],
)
def test_settings_that_contradict_are_refused(settings):
    with pytest.raises(SettingsError, match="signals"):
        Signals(**settings)


def test_served_events_mean_what_they_mean_in_training():
    signals = Signals(event_types=["purchase", "view"], feedback={"purchase": 1.0, "view": 0.5})
    weight, purchase, paid = signals.of_codes(np.array([0, 1, -1]), ["purchase", "view"])
    assert weight.tolist() == [1.0, 0.5, 1.0]
    assert purchase.tolist() == paid.tolist() == [True, False, False]


def test_a_training_set_of_views_alone_serves_as_it_trains():
    log = LOG.assign(timestamp=["2024-01-01"] * 3 + ["2024-02-01"] * 3 + ["2024-01-07", "2024-01-01"])
    train = om.Dataset.from_frames(log, **WORDS).with_split(om.splits.Temporal(horizon_days=7)).fold("test").train
    assert train.event_types.ids.tolist() == ["view"]
    assert not train.histories.purchase.any()
    assert not train.signals.of_codes(np.array([0]), train.event_types.ids.tolist())[1].any()


def test_amounts_of_views_are_not_paid_where_a_model_is_asked_either():
    train = om.Dataset.from_frames(LOG, **WORDS).with_split(om.splits.Temporal(horizon_days=2)).fold("test").train
    event = {"item_id": "i1", "timestamp": "2024-01-03", "value": 9.0}
    histories, _unknown = histories_of([[{**event, "event_type": each} for each in ("view", "purchase")]], train)
    assert np.isnan(histories.value).tolist() == [True, False]


@pytest.mark.parametrize(
    ("word", "signal"),
    [
        *[("View", "view"), ("PURCHASE", "purchase"), ("Add to Cart", "cart"), ("remove_from_cart", "refund")],
        *[("购买", "purchase"), ("确认下单", "purchase"), ("支付成功", "purchase"), ("加购", "cart"), ("收藏", "cart")],
        *[("评价", "rating"), ("退货", "refund"), ("removeItem", "refund"), ("begin_checkout", "cart")],
        *[("purchased", "purchase"), ("registration", "view"), ("浏览", "view")],
    ],
)
def test_words_as_shops_write_them(word, signal):
    log = LOG.assign(event_type=word)
    data = om.Dataset.from_frames(log, guess=True)
    assert data.tables.signals.signal(word) == signal
