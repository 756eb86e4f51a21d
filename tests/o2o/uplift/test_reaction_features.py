"""Reactions to earlier mailings, worked by hand, and what drives the effect in the simulated retailer."""

import numpy as np
import pandas as pd
import pytest

from omniretail.models.uplift.noise_free import NoiseFree
from omniretail.models.uplift.oracle_features import OracleFeatures
from omniretail.models.uplift.true_effect import true_effects
from omniretail.o2o.uplift.experiment_rows import campaigns, experiment
from omniretail.sources.protocol import load
from omniretail.sources.simulator.source import Simulate
from tests.conftest import tables_of

DAYS = {1: ["01-01", "01-09", "01-10", "01-29"], 2: ["01-02", "02-05"], 3: ["01-20"]}
"""Visits of each customer; the first campaign lasts from January 8 to 22, the second from February 19."""


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    visits = [(user, f"2024-{day}") for user, days in DAYS.items() for day in days]
    events = pd.DataFrame(
        {
            "user_id": [user for user, _ in visits],
            "item_id": [10, 11, 11, 11, 10, 11, 11],
            "timestamp": pd.to_datetime([day for _, day in visits]),
            "event_type": "purchase",
            "channel": "offline",
            "value": 1.0,
            "discount": [0.0, 0.5, 0.0, 0.3, 0.0, 0.0, 0.0],
            "coupon": [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0],
        }
    )
    later = events.tail(1).assign(timestamp=pd.Timestamp("2024-03-20"), user_id=1)
    offers = pd.DataFrame({"offer_id": [1, 2], "start": pd.to_datetime(["2024-01-08", "2024-02-19"])})
    offers["end"] = offers.start + pd.Timedelta(14, "D")
    mailed = pd.DataFrame({"user_id": [1, 1, 2], "offer_id": [1, 1, 2], "event_type": ["sent", "redeemed", "sent"]})
    mailed["timestamp"] = pd.to_datetime(["2024-01-08", "2024-01-09", "2024-02-19"])
    tables = tables_of(
        pd.concat([events, later]),
        offers=offers,
        offer_events=mailed,
        offer_items=pd.DataFrame({"offer_id": [1, 2], "item_id": [11, 10]}),
    )
    return experiment(tables, campaigns(tables).tail(1), levels=(), reactions=True).rows.droplevel("offer_id")


def test_what_customers_did_while_mailed_and_while_not(rows: pd.DataFrame) -> None:
    assert rows.mailings.tolist() == [1, 0, 0]
    assert rows.visits_mailed.tolist() == [2, 0, 0]
    assert rows.bought_mailed.tolist() == [1, 0, 0]
    assert rows.unmailed_campaigns.tolist() == [0, 1, 0], "the third customer came later"
    assert rows.visits_unmailed.tolist() == [0, 0, 0]
    assert rows.redemptions.tolist() == [1, 0, 0]
    assert rows.redemption_share.tolist() == pytest.approx([1, 1, 1]), "one mailing, one redemption on average"


def test_the_pace_leaves_out_mailed_weeks(rows: pd.DataFrame) -> None:
    weeks = np.array([49, 48, 30]) / 7
    pace = (np.array([2, 2, 1]) + 0.5) / (weeks - np.array([2, 0, 0]) + 1)
    assert rows.pace.tolist() == pytest.approx(pace.tolist())
    assert rows.reaction.iloc[0] == pytest.approx(np.log(3 / (2 * pace[0] + 1)))
    assert rows.reaction.iloc[1:].tolist() == [0, 0]


def test_shares_are_smoothed_by_the_average_customer(rows: pd.DataFrame) -> None:
    assert rows.promoted_share.tolist() == pytest.approx([(1 + 10 / 7) / 14, (10 / 7) / 12, (10 / 7) / 11])
    assert rows.interest.tolist() == pytest.approx([(1 + 20 / 7) / 14, (1 + 20 / 7) / 12, (20 / 7) / 11])


@pytest.mark.slow
def test_reactions_tell_more_about_the_effect_and_the_drivers_almost_all(tmp_path) -> None:
    source = Simulate(n_customers=3000, n_weeks=22, seed=3)
    tables = load(source, tmp_path)
    offers = campaigns(tables)
    past, judged = (experiment(tables, each, (), reactions=True) for each in (offers.head(-1), offers.tail(1)))
    truth = true_effects(source, judged.rows)
    drivers = OracleFeatures(source).fit(past.rows, past.treated, past.y).predict(judged.rows)
    assert np.corrcoef(drivers, truth)[0, 1] > 0.85
    noise_free = NoiseFree(source).fit(past.rows, past.treated, past.y).predict(judged.rows)
    without = [name for name in judged.rows if name not in REACTIONS]
    fewer = (
        NoiseFree(source)
        .fit(past.rows.reindex(columns=without), past.treated, past.y)
        .predict(judged.rows.reindex(columns=without))
    )
    assert np.corrcoef(noise_free, truth)[0, 1] > np.corrcoef(fewer, truth)[0, 1] + 0.03


REACTIONS = ["mailings", "visits_mailed", "bought_mailed", "unmailed_campaigns", "visits_unmailed", "bought_unmailed"]
REACTIONS += ["redemptions", "redemption_share", "pace", "reaction", "promoted_share", "interest"]
