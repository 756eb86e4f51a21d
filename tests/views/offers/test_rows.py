"""Offer rows against a log worked out by hand, and what becomes of rows that do not fit."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.schema import DataError, DatasetCard
from omniretail.views.offers.cached import load_offer_rows
from omniretail.views.offers.rows import OfferRows, offer_rows
from tests.conftest import tables_of
from tests.o2o.offers.factories import EVENTS, OFFER_EVENTS, OFFERS, bought, by_hand, happened, offers, random_shop

UNTIL = datetime(2024, 3, 11)


@pytest.fixture(scope="module")
def rows() -> OfferRows:
    return offer_rows(by_hand(), ["category"], attribute_values=True, until=UNTIL)


def of(rows: OfferRows, user: str, offer: str) -> pd.Series:
    return rows.rows.iloc[np.flatnonzero((rows.user_id == user) & (rows.offer_id == offer))[0]]


def test_rows_and_outcomes(rows: OfferRows) -> None:
    found = dict(zip(zip(rows.user_id, rows.offer_id, strict=True), rows.y, strict=True))
    over = {"aX": 1, "bX": 0, "aY": 1, "bY": 0, "cY": 1, "aZ": 0}
    assert {"".join(pair): y for pair, y in found.items() if not np.isnan(y)} == over
    assert np.isnan(found["a", "W"]), "the log ends before the offer does"
    assert list(rows.rows.columns) == [each.name for each in rows.features]


def test_an_outcome_is_known_only_when_the_offer_is_over(rows: OfferRows) -> None:
    known = rows.outcome(np.datetime64("2024-02-10"))  # day 40, when Y ends
    assert np.isnan(known).tolist() == [offer in ("Z", "W") for offer in rows.offer_id]


BY_HAND = {
    ("a", "X"): {
        "recency_days": 2,
        "tenure_days": 8,
        "visits": 2,
        "spend": 10,
        "basket_value_mean": 5,
        "discount_share": 1.5 / 11.5,
        "discounted_lines": 0.5,
        "coupon_visits": 1,
        "coupon_share": 0.5,
        "coupon_value": 1,
        "coupon_days_since": 2,
        "offers_sent": 0,
        "redeemed_rate": 0,
        "offer_days_since": np.nan,
        "offer_days": 10,
        "offer_items": 2,
        "offer_recipients": 2,
        "offered_lines": 3,
        "offered_share": 0.75,
        "offered_spend_share": 0.9,
        "offered_items_bought": 2,
        "offered_visits": 2,
        "offered_days_since": 2,
        "offered_favourite": 2,
        "offered_coupons": 1,
        "offered_coverage": 1,
        "rank_offered_items": 1,
        "category_lines": 3,
        "category_share": 0.75,
        "category_cosine": 3 / np.sqrt(6 * 2),
        "redeemed_alike": 0,
    },
    ("b", "X"): {"visits": 1, "offered_lines": 0, "rank_offered_items": 0.5, "category_cosine": 0},
    ("a", "Y"): {
        "recency_days": 22,
        "tenure_days": 28,
        "visits": 2,
        "visits_28": 2,
        "lines_91": 4,
        "items_bought": 3,
        "offers_sent": 1,
        "offers_running": 0,
        "offers_redeemed": 1,
        "coupons_redeemed": 2,
        "offer_days_since": 20,
        "redeemed_days_since": 17,
        "redeemed_rate": (1 + 2 * 0.5) / (1 + 2),
        "redeemed_over_expected": 0.5,
        "kind_sent": 1,
        "kind_redeemed": 1,
        "kind_rate": 0.5,
        "offer_recipients": 3,
        "offered_lines": 0,
        "offered_days_since": np.nan,
        "category_lines": 2,
        "category_share": 0.5,
        "category_cosine": 2 / np.sqrt(6),
        "redeemed_alike": 1 / np.sqrt(2),
        "bought_share_of_tea": 0.5,
        "bought_share_of_bread": 0.25,
        "offered_share_of_tea": 1,
        "offered_share_of_milk": 0,
    },
    ("b", "Y"): {"offers_sent": 1, "offers_redeemed": 0, "redeemed_over_expected": -0.5, "redeemed_rate": 1 / 3},
    ("c", "Y"): {"visits": 0, "spend": 0, "recency_days": np.nan, "category_lines": 0, "redeemed_rate": 0.5},
    ("a", "Z"): {"offer_items": 0, "offered_coverage": np.nan, "category_cosine": 0, "kind_sent": 0, "kind_rate": 0.5},
    ("a", "W"): {"offers_sent": 3, "offers_running": 0, "offers_redeemed": 2, "recency_days": 30, "category_lines": 1},
}


@pytest.mark.parametrize("mailing", BY_HAND, ids="".join)
def test_features_by_hand(rows: OfferRows, mailing: tuple[str, str]) -> None:
    found = of(rows, *mailing)
    for name, value in BY_HAND[mailing].items():
        assert found[name] == pytest.approx(value, abs=1e-6, nan_ok=True), name


def test_what_is_not_bought_does_not_count() -> None:
    looked = bought(("a", 1, 9, 9, 0.0, 0.0, 0.0)).assign(event_type="view")
    both = by_hand(events=pd.concat([EVENTS, looked], ignore_index=True))
    pd.testing.assert_frame_equal(offer_rows(both).rows, offer_rows(by_hand()).rows)


def test_misfits_are_left_out_and_counted() -> None:
    odd = happened(
        ("a", "X", 11, "sent"),
        ("a", "lost", 11, "sent"),
        ("b", "Y", 40, "sent"),
        ("b", "back", 11, "sent"),
        ("c", "Z", 45, "sent"),
        ("d", "Y", 33, "redeemed"),
        ("c", "Z", 44, "redeemed"),
    )
    backwards = pd.concat([OFFERS, offers(("back", 10, 5, "A"))], ignore_index=True)
    mailed = OFFER_EVENTS[(OFFER_EVENTS.user_id != "b") | (OFFER_EVENTS.offer_id != "Y")]
    found = offer_rows(by_hand(offers=backwards, offer_events=pd.concat([mailed, odd], ignore_index=True)))
    assert found.left_out == {
        "offer ends before it starts": 1,
        "sent twice": 1,
        "mailing of an offer that is missing or left out": 2,
        "sent after the offer had ended": 1,
        "redemption without a mailing": 1,
        "redemption outside the offer's time": 2,
        "without a match, not left out: mailing of an offer without items": 2,
    }
    assert len(found) == 7
    assert found.y[(found.user_id == "c") & (found.offer_id == "Z")] == [0], "redeemed before it was sent"


def test_a_log_without_items_amounts_or_baskets() -> None:
    bare = EVENTS[["user_id", "item_id", "timestamp", "event_type", "channel"]]
    tables = replace(by_hand(events=bare), items=None, offer_items=None)
    found = offer_rows(tables, ["category"], attribute_values=True)
    assert not set(found.columns(["attribute_values"]))
    assert of(found, "a", "X").visits == 2
    assert of(found, "a", "X").offered_lines == 0
    assert np.isnan(of(found, "a", "X").offer_items) == 0


def test_a_source_without_offers_or_dates_is_refused() -> None:
    with pytest.raises(DataError, match="test shop has no offers"):
        offer_rows(tables_of(EVENTS))
    with pytest.raises(DataError, match="an order of events but no times"):
        offer_rows(replace(by_hand(), card=DatasetCard("s3", clock=False)))
    with pytest.raises(DataError, match=r"no mailing that can be judged: .* missing or left out 7"):
        offer_rows(by_hand(offers=offers(("V", 1, 2, "A"))))


def test_rows_come_back_from_the_cache_as_they_were(tmp_path: Path) -> None:
    tables = replace(random_shop(), version="1")
    fresh = offer_rows(tables, ["department", "category"], True)
    for _ in range(2):
        again = load_offer_rows(tables, ["department", "category"], True, None, tmp_path)
        pd.testing.assert_frame_equal(again.rows, fresh.rows, check_dtype=False, check_exact=True)
        np.testing.assert_array_equal(again.redeemed_at, fresh.redeemed_at)
        np.testing.assert_array_equal(again.y, fresh.y)
        assert (again.until, again.features, again.left_out) == (fresh.until, fresh.features, fresh.left_out)
    assert len(list((tmp_path / "offers").iterdir())) == 1
    load_offer_rows(tables, ["department"], True, None, tmp_path)
    assert len(list((tmp_path / "offers").iterdir())) == 2
