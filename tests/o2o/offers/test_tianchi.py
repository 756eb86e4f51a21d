from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from benchmarks.tianchi_shaped import write_tianchi_shaped
from ibis import _

from omniretail.core.errors import DataError
from omniretail.models.responses.logistic import Logistic
from omniretail.o2o.offers.tianchi import JUDGE, LEARN, PAST_DAYS, Window, contest_rows, evaluate
from omniretail.schema import Tables
from omniretail.sources.protocol import load
from omniretail.sources.tianchi_o2o import DAYS_TO_USE, TianchiO2O
from tests.conftest import tables_of

DAY = pd.Timedelta(days=1)
MAY = Window(datetime(2016, 5, 1), datetime(2016, 5, 2))


def day(number: int) -> pd.Timestamp:
    """Days after 1 May 2016."""
    return pd.Timestamp("2016-05-01") + number * DAY


def made(receipts: list[tuple[int, int, int, int | None]], last_purchase: int = 60) -> Tables:
    """Tables of receipts (customer, coupon, day received, day used); one merchant; the log goes on to the last day."""
    sent = pd.DataFrame(receipts, columns=["user_id", "coupon_id", "received", "used"]).astype({"used": "float64"})
    sent["offer_id"] = sent.coupon_id.astype(str) + "@" + sent.received.astype(str)
    mailed = sent.assign(timestamp=[day(n) for n in sent.received], event_type="sent")
    used = sent[sent.used.notna()]
    used = used.assign(timestamp=[day(int(n)) for n in used.used], event_type="redeemed")
    events = pd.concat([mailed, used])[["user_id", "offer_id", "timestamp", "event_type"]]
    offers = mailed[["offer_id", "coupon_id"]].drop_duplicates()
    bought = pd.DataFrame({"user_id": [99, *used.user_id], "timestamp": [day(last_purchase), *used.timestamp]})
    return tables_of(
        bought.assign(item_id=7, event_type="purchase", channel="offline"),
        offers=offers.assign(channel="offline", kind="rate", discount=0.1, min_spend=np.nan, off=np.nan),
        offer_events=events.assign(store_id=7, distance_m=500.0),
    )


@pytest.fixture(scope="module")
def shaped(tmp_path_factory) -> Tables:
    folder: Path = tmp_path_factory.mktemp("shaped")
    write_tianchi_shaped(folder / "raw", n_offline=20_000, n_online=20_000, n_test=500)
    return load(TianchiO2O(folder / "raw"), folder / "cache")


@pytest.mark.parametrize(("used", "label"), [(0, 1.0), (DAYS_TO_USE, 1.0), (DAYS_TO_USE + 1, 0.0), (None, 0.0)])
def test_used_within_fifteen_days(used, label):
    assert contest_rows(made([(1, 3, 0, used)]), MAY).y.tolist() == [label]


@pytest.mark.parametrize(("last_purchase", "complete"), [(DAYS_TO_USE, True), (DAYS_TO_USE - 1, False)])
def test_an_outcome_is_complete_once_the_log_covers_fifteen_days(last_purchase, complete):
    rows = contest_rows(made([(1, 3, 0, 2)], last_purchase), MAY)
    assert np.isfinite(rows.y).tolist() == [complete]


def test_features_count_what_lies_before_the_window():
    past = [(1, 3, -9, -5), (1, 4, -8, None), (2, 3, -8, 3), (1, 3, -PAST_DAYS - 1, -PAST_DAYS - 1)]
    rows = contest_rows(made([*past, (1, 3, 0, None)]), MAY).rows
    (row,) = rows.to_dict("records")
    assert (row["user_received"], row["user_used"], row["user_used_share"]) == (2, 1, 0.5)
    assert (row["coupon_received"], row["coupon_used"], row["coupon_days_to_use"]) == (2, 1, 4.0)
    assert (row["merchant_received"], row["pair_received"], row["pair_purchases"]) == (3, 2, 1)
    assert (row["distance_m"], row["weekday"], row["online_clicks"]) == (500.0, "Sunday", 0)


def test_nothing_from_the_window_on_reaches_the_features(shaped):
    window = LEARN["val"]
    offer_events = shaped.offer_events.filter((_.event_type == "sent") | (_.timestamp < window.start))
    later = offer_events.filter(_.timestamp >= window.end)
    fewer = offer_events.anti_join(later, ["user_id", "offer_id", "timestamp"])
    cut = Tables(
        shaped.card,
        shaped.events.filter(_.timestamp < window.start),
        offers=shaped.offers,
        offer_events=fewer,
    )
    whole, without = contest_rows(shaped, window), contest_rows(cut, window)
    pd.testing.assert_frame_equal(whole.keys, without.keys)
    pd.testing.assert_frame_equal(whole.rows, without.rows)
    assert np.isnan(without.y).all()
    assert set(whole.y) == {0.0, 1.0}


@pytest.mark.parametrize("stage", ["val", "test"])
def test_learned_receipts_are_over_before_the_judged_ones_start(stage):
    last_day = LEARN[stage].end - DAY
    assert last_day + DAYS_TO_USE * DAY < JUDGE[stage].start


def test_a_model_finds_who_uses_coupons_and_the_contests_metric_is_a_mean_over_coupons(shaped):
    metrics = evaluate(Logistic(), shaped, "val")
    assert metrics["auc"] > 0.6
    assert 0.5 < metrics["auc_per_offer"] < 1
    assert metrics["auc_per_offer"] != metrics["auc"]


def test_july_has_no_outcomes(shaped):
    july = contest_rows(shaped, JUDGE["test"])
    assert np.isnan(july.y).all()
    assert july.rows.user_received.sum() > 0
    with pytest.raises(DataError, match="the outcomes of receipts from 2016-07-01 on are not in the files"):
        evaluate(Logistic(), shaped, "test")


def test_an_empty_window_is_named(shaped):
    with pytest.raises(DataError, match=r"nobody received a coupon in \[2017-01-01, 2017-01-02\)"):
        contest_rows(shaped, Window(datetime(2017, 1, 1), datetime(2017, 1, 2)))


def test_another_source_is_refused():
    events = pd.DataFrame({"user_id": [1], "item_id": [1], "timestamp": [day(0)]})
    with pytest.raises(DataError, match="test shop is not the contest's data"):
        contest_rows(tables_of(events.assign(event_type="purchase", channel="offline")), MAY)
