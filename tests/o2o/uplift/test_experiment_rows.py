from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.metrics.uplift import qini
from omniretail.models.uplift.x_learner import XLearner
from omniretail.o2o.uplift.evaluate import balance, coupon_figures, ranking_figures
from omniretail.o2o.uplift.experiment_rows import Experiment, campaigns, experiment
from omniretail.schema import DataError, Tables
from omniretail.sources.protocol import load
from omniretail.sources.simulator.source import Simulate
from tests.conftest import shop_events, tables_of

SOURCE = Simulate(n_customers=3000)


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Tables:
    return load(SOURCE, tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def judged(tables) -> Experiment:
    return experiment(tables, campaigns(tables)[-1:])


@pytest.fixture(scope="module")
def learned(tables) -> Experiment:
    return experiment(tables, campaigns(tables)[-4:-1])


def true_effect(judged: Experiment) -> np.ndarray:
    return SOURCE.world().effect(int(judged.offer_id[0]) - 1)[judged.user_id - 1]


def test_truth_beats_the_learner_and_the_learner_beats_chance(learned, judged):
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    boosted = {"max_depth": 3, "max_iter": 60, "learning_rate": 0.05, "random_state": 0}
    model = XLearner(HistGradientBoostingClassifier(**boosted), HistGradientBoostingRegressor(**boosted))
    model.fit(learned.x.to_numpy(float), learned.treated, learned.y)
    said = model.predict(judged.x.reindex(columns=learned.x.columns).to_numpy(float))
    random = np.random.default_rng(0).random(len(judged))
    found = [qini(judged.y, judged.treated, each) for each in (true_effect(judged), said, random)]
    assert found[0] > found[1] > found[2]


def test_coupons_went_out_at_random_and_it_shows(learned):
    assert balance(learned) == pytest.approx(0.5, abs=0.02)
    chosen = replace(learned, treated=learned.x.visits.to_numpy() > learned.x.visits.median())
    assert balance(chosen) > 0.95


def test_nothing_after_the_start_reaches_the_features(tables, judged):
    offers = campaigns(tables)
    start = offers.start.iloc[-1]
    events = tables.events.to_pandas()
    after = events.timestamp >= start
    assert 0 < after.sum() < len(events)
    events.loc[after, "item_id"] = 1
    events.loc[after, "value"] = 1e6
    moves = tables.offer_events.to_pandas()
    moves = moves[(moves.timestamp < start) | (moves.event_type == "sent")]
    about = {name: getattr(tables, name).to_pandas() for name in ("items", "offers", "offer_items")}
    changed = replace(tables_of(events, offer_events=moves, **about), card=tables.card)
    again = experiment(changed, offers[-1:])
    pd.testing.assert_frame_equal(again.x, judged.x)
    np.testing.assert_array_equal(again.user_id, judged.user_id)


def test_interest_counts_what_is_offered():
    events = pd.DataFrame(
        {
            "user_id": [1, 1, 1, 2],
            "item_id": [10, 10, 11, 11],
            "timestamp": pd.to_datetime(["2024-01-01", "2024-06-01", "2024-06-01", "2024-06-02"]),
            "event_type": "purchase",
            "channel": "offline",
            "value": 1.0,
            "quantity": 1.0,
        }
    )
    offers = pd.DataFrame(
        {"offer_id": [7], "start": pd.to_datetime(["2024-06-03"]), "end": pd.to_datetime(["2024-06-10"])}
    )
    sent = pd.DataFrame({"user_id": [2], "offer_id": [7], "timestamp": offers.start, "event_type": ["sent"]})
    tables = tables_of(events, offer_events=sent, offer_items=pd.DataFrame({"offer_id": [7], "item_id": [10]}))
    rows = experiment(tables, offers)
    assert rows.user_id.tolist() == [1, 2]
    assert rows.treated.tolist() == [False, True]
    assert rows.x.offered_lines.tolist() == [2, 0]
    assert rows.x.offered_lines_91.tolist() == [1, 0]
    assert rows.x.offered_share.tolist() == pytest.approx([2 / 3, 0])
    assert rows.y.tolist() == [0, 0]


def test_an_offer_without_items_has_nothing_to_be_interested_in(tables, judged):
    bare = replace(tables, offer_items=tables.offer_items.filter(tables.offer_items.offer_id == 1))
    found = experiment(bare, campaigns(tables)[-1:])
    assert not found.x[["offered_lines", "offered_lines_91", "offered_share"]].any(axis=None)
    others = [name for name in judged.x if not name.startswith("offered")]
    pd.testing.assert_frame_equal(found.x[others], judged.x[others])


def test_offers_that_end_before_they_start_are_left_out_and_counted(tables, caplog):
    offers = tables.offers.to_pandas()
    turned = offers.assign(start=offers.end, end=offers.start)
    mixed = pd.concat([turned[:2], offers[2:]])
    about = {name: getattr(tables, name).to_pandas() for name in ("events", "offer_events", "offer_items")}
    found = campaigns(replace(tables_of(about.pop("events"), offers=mixed, **about), card=tables.card))
    assert found.offer_id.tolist() == campaigns(tables).offer_id.tolist()[2:]
    assert "2 offers end before they start and are left out" in caplog.text


@pytest.mark.parametrize(("treated", "who"), [(True, "everybody"), (False, "nobody")])
def test_a_coupon_for_all_or_for_none_shows_no_effect(judged, treated, who):
    alike = replace(judged, treated=np.full(len(judged), treated))
    flat = {"flat": np.zeros(len(judged))}
    with pytest.raises(ValueError, match=f"{who} was treated: an effect"):
        ranking_figures(alike, flat)
    with pytest.raises(ValueError, match=f"{who} was treated: an effect"):
        balance(alike)


def test_where_coupons_go_adds_up(judged):
    scores = {"truth": true_effect(judged), "flat": np.zeros(len(judged))}
    coupons = coupon_figures(judged, scores, shares=(0.2,)).set_index("ranking")
    assert coupons.buy.to_numpy() == pytest.approx(coupons.buy_anyway + coupons.because)
    assert coupons.because["flat"] == pytest.approx(
        100 * (judged.y[judged.treated].mean() - judged.y[~judged.treated].mean())
    )
    assert coupons.coupons.tolist() == [int(np.ceil(0.2 * len(judged))), len(judged)]
    rankings = ranking_figures(judged, scores, shares=(0.2,), n_resamples=50)
    assert rankings.ranking.tolist() == ["truth", "flat"]
    assert rankings.qini_low[0] > 0
    assert rankings.uplift_at_20[0] == pytest.approx(coupons.because["truth"] / 100)


def test_a_log_without_offers_is_said():
    with pytest.raises(DataError, match="has no offers with dates; uplift takes some, such as source=simulate"):
        campaigns(tables_of(shop_events(n_users=5)))


def test_one_campaign_is_not_enough(tables):
    one = replace(tables, offers=tables.offers.filter(tables.offers.offer_id == 1))
    with pytest.raises(DataError, match="1 campaigns are over; one to learn from and one to judge by"):
        campaigns(one)
