from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.o2o.uplift.cached import load_experiment
from omniretail.o2o.uplift.experiment_rows import Experiment, campaigns, experiment
from omniretail.schema import Tables
from omniretail.sources.protocol import load
from omniretail.sources.simulator.source import Simulate
from tests.conftest import shop_events, tables_of

SOURCE = Simulate(n_customers=400)


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Tables:
    return load(SOURCE, tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def judged(tables) -> Experiment:
    return experiment(tables, campaigns(tables)[-1:])


def test_nothing_after_the_start_reaches_the_features(tables):
    offers = campaigns(tables)
    start = offers.start.iloc[-1]
    events = tables.events.to_pandas()
    after = events.timestamp >= start
    assert 0 < after.sum() < len(events)
    events.loc[after, "item_id"] = 1
    events.loc[after, "value"] = 1e6
    offer_events = tables.offer_events.to_pandas()
    offer_events = offer_events[(offer_events.timestamp < start) | (offer_events.event_type == "sent")]
    others = {name: getattr(tables, name).to_pandas() for name in ("items", "offers", "offer_items")}
    changed = replace(tables_of(events, offer_events=offer_events, **others), card=tables.card)
    rows, after_changes = (experiment(each, offers[-1:], reactions=True).rows for each in (tables, changed))
    pd.testing.assert_frame_equal(after_changes, rows)
    assert {"pace", "reaction", "redemptions"} <= {*rows}


def test_rows_through_the_cache_are_the_same(tables, tmp_path):
    offers = campaigns(tables)[-2:]
    made = experiment(tables, offers)
    for _ in range(2):
        cached = load_experiment(tables, offers, ["category"], tmp_path)
        pd.testing.assert_frame_equal(cached.rows, made.rows)
        np.testing.assert_array_equal(cached.treated, made.treated)
        np.testing.assert_array_equal(cached.y, made.y)
    assert len([*(tmp_path / "campaigns").iterdir()]) == 2, "one folder per campaign, shared by all that take part"
    assert made.n_campaigns == 2


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
    assert rows.rows.index.tolist() == [(1, 7), (2, 7)]
    assert rows.treated.tolist() == [False, True]
    assert rows.rows.offered_lines.tolist() == [2, 0]
    assert rows.rows.offered_lines_91.tolist() == [1, 0]
    assert rows.rows.offered_share.tolist() == pytest.approx([2 / 3, 0])
    assert rows.y.tolist() == [0, 0]


def test_an_offer_without_items_has_nothing_to_be_interested_in(tables, judged):
    bare = replace(tables, offer_items=tables.offer_items.filter(tables.offer_items.offer_id == 1))
    rows = experiment(bare, campaigns(tables)[-1:]).rows
    assert not rows[["offered_lines", "offered_lines_91", "offered_share"]].any(axis=None)
    others = [name for name in judged.rows if not name.startswith("offered")]
    pd.testing.assert_frame_equal(rows[others], judged.rows[others])


def test_offers_that_end_before_they_start_are_left_out_and_counted(tables, caplog):
    offers = tables.offers.to_pandas()
    reversed_ = offers.assign(start=offers.end, end=offers.start)
    mixed = pd.concat([reversed_[:2], offers[2:]])
    others = {name: getattr(tables, name).to_pandas() for name in ("events", "offer_events", "offer_items")}
    usable = campaigns(replace(tables_of(others.pop("events"), offers=mixed, **others), card=tables.card))
    assert usable.offer_id.tolist() == campaigns(tables).offer_id.tolist()[2:]
    assert "2 offers end before they start and are left out" in caplog.text


def test_a_log_without_offers_is_refused():
    with pytest.raises(DataError, match="has no offers with dates; choose another source, such as source=simulate"):
        campaigns(tables_of(shop_events(n_users=5)))


def test_one_campaign_is_not_enough(tables):
    one = replace(tables, offers=tables.offers.filter(tables.offers.offer_id == 1))
    with pytest.raises(DataError, match="1 campaigns are over; uplift takes two or more"):
        campaigns(one)
