from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.o2o.effects.channel import channel_effect
from omniretail.o2o.effects.distance_decay import StoreChoice
from omniretail.schema import DataError, Tables
from omniretail.sources.protocol import load
from omniretail.sources.simulator.source import START, Simulate
from omniretail.sources.simulator.world import CAMPAIGN_WEEKS
from omniretail.views.stores.nearby_choices import store_choices

SOURCE = Simulate(n_customers=3000)


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Tables:
    return load(SOURCE, tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def events(tables) -> pd.DataFrame:
    return tables.events.to_pandas()


def in_window(events: pd.DataFrame, campaign: int) -> pd.DataFrame:
    start = pd.Timestamp(START) + pd.Timedelta(weeks=int(SOURCE.world().starts[campaign]))
    return events[(events.timestamp >= start) & (events.timestamp < start + pd.Timedelta(weeks=CAMPAIGN_WEEKS))]


def test_every_report_says_that_it_is_synthetic(tables):
    assert "synthetic" in tables.card.title
    assert tables.card.note.startswith("Synthetic")


def test_same_seed_same_log_and_another_seed_another(tables, events, tmp_path):
    again = load(replace(SOURCE), tmp_path).events.to_pandas()
    pd.testing.assert_frame_equal(again, events)
    other = load(replace(SOURCE, seed=2), tmp_path).events.to_pandas()
    assert len(other) != len(events)


def test_batches_of_customers_make_one_log(monkeypatch, tmp_path):
    monkeypatch.setattr("omniretail.sources.simulator.source._BATCH", 40)
    events = load(Simulate(n_customers=100), tmp_path).events.to_pandas()
    assert events.user_id.max() > 80
    assert events.groupby("basket_id").user_id.nunique().max() == 1
    assert events.groupby("basket_id").timestamp.nunique().max() == 1


def test_stores_sell_only_what_they_carry_and_are_open(events):
    world = SOURCE.world()
    offline = events[events.channel == "offline"]
    assert world.sells[offline.store_id.to_numpy(int) - 1, offline.item_id - 1].all()
    assert offline.timestamp.dt.hour.between(8, 19).all()
    assert events[events.channel == "online"].store_id.isna().all()
    assert not world.sells.all()


def test_distance_decay_and_pull_of_size_are_found_again(tables):
    choices = store_choices(tables)
    assert choices.elsewhere == 0
    attributes = np.stack([choices.km, np.log(SOURCE.world().size[choices.store_id - 1])], axis=-1)
    model = StoreChoice().fit(attributes, choices.visits)
    off = (model.coefficients_ - [-SOURCE.distance_decay, SOURCE.size_pull]) / model.errors_
    assert np.abs(off).max() < 4
    assert model.errors_[0] < 0.01


def test_channel_effect_is_found_within_customers_and_not_between_them(events):
    visits = events.groupby("basket_id").agg(
        user_id=("user_id", "first"), channel=("channel", "first"), n=("item_id", "size")
    )
    found = channel_effect(visits.user_id.to_numpy(), (visits.channel == "online").to_numpy(), visits.n.to_numpy() - 1)
    assert abs(found.within - SOURCE.channel_effect) < 4 * found.error < 0.05
    assert found.naive > SOURCE.channel_effect + 0.2  # heavy shoppers are online more


@pytest.mark.parametrize("campaign", [0, 5])
def test_coupons_do_what_the_truth_says(tables, events, campaign):
    """Those sent one and those not buy as often as the truth says they do, and are drawn at random."""
    world, sent = SOURCE.world(), tables.offer_events.to_pandas()
    start = pd.Timestamp(START) + pd.Timedelta(weeks=int(world.starts[campaign]))
    known = np.unique(events[events.timestamp < start].user_id) - 1
    given = np.isin(known + 1, sent[(sent.offer_id == campaign + 1) & (sent.event_type == "sent")].user_id)
    bought = np.isin(known + 1, in_window(events, campaign).user_id)
    assert given.mean() == pytest.approx(SOURCE.sent_share, abs=4 * 0.5 / np.sqrt(len(known)))
    for coupon in (True, False):
        group = known[given == coupon]
        chance = world.chance(campaign, coupon)[group]
        error = np.sqrt((chance * (1 - chance)).sum()) / len(group)
        assert bought[given == coupon].mean() == pytest.approx(chance.mean(), abs=4 * error)
    assert world.effect(campaign).mean() > 0.03
    assert (world.effect(campaign) < 0).mean() > 0.05  # some are put off


def test_redemptions_follow_their_coupon_within_its_time_and_once(tables):
    offers, moves = tables.offers.to_pandas().set_index("offer_id"), tables.offer_events.to_pandas()
    kinds = {kind: part.set_index(["user_id", "offer_id"]).timestamp for kind, part in moves.groupby("event_type")}
    redeemed = kinds["redeemed"]
    assert redeemed.index.is_unique
    assert redeemed.index.isin(kinds["sent"].index).all()
    at = redeemed.reset_index()
    assert (at.timestamp >= offers.start[at.offer_id].to_numpy()).all()
    assert (at.timestamp < offers.end[at.offer_id].to_numpy()).all()
    assert len(redeemed) > 100


def test_coupons_take_off_something_offered(tables, events):
    covered = tables.offer_items.to_pandas()
    used = events[events.coupon > 0]
    assert used.item_id.isin(covered.item_id).all()
    assert (used.coupon <= used.discount + 1e-9).all()
    assert (events.value >= 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_customers": 0}, "n_customers=0: it must be 1 or more"),
        ({"n_weeks": 3}, "n_weeks=3"),
        ({"stock_out": 1.5}, "stock_out=1.5 must lie between 0 and 1"),
    ],
)
def test_numbers_without_sense_are_said(wrong, message):
    with pytest.raises(DataError, match=message):
        Simulate(**wrong)


def test_one_store_and_one_customer_make_a_log(tmp_path: Path):
    lone = load(Simulate(n_customers=40, n_stores=1, n_items=20), tmp_path)
    assert set(lone.events.store_id.to_pandas().dropna()) == {1}
