"""Leaky features by hand; no config that trains a model can name them."""

import re

import numpy as np
import pandas as pd
import pytest

from omniretail.audit.leaky_features import AHEAD_DAYS, purchases_ahead, receipts_ahead
from omniretail.config import CONFIGS, compose
from omniretail.o2o.offers.evaluate import Response
from tests.conftest import ROOT
from tests.o2o.offers.factories import bought, by_hand, day


def test_later_receipts_of_the_same_customer_and_of_the_same_coupon() -> None:
    at = np.array([0, 3, 3, AHEAD_DAYS, AHEAD_DAYS + 1, 5], dtype="datetime64[D]")
    user, coupon = np.array([1, 1, 1, 1, 1, 2]), np.array(["x", "x", "y", "x", "x", "x"])
    ahead = receipts_ahead(user, coupon, at)
    assert ahead.later_receipts.tolist() == [3, 2, 2, 1, 0, 0]
    assert ahead.later_receipts_alike.tolist() == [2, 2, 0, 1, 0, 0]
    np.testing.assert_array_equal(ahead.days_until_receipt, [3, 25, 25, 1, np.nan, np.nan])


def test_purchases_of_the_offers_items_in_its_time_and_of_anything_after_it() -> None:
    events = bought(
        ("a", 1, 9, 1, 2.0, 0.0, 0.0),  # before
        ("a", 3, 12, 2, 2.0, 0.0, 0.5),  # offered, in time, with a coupon
        ("a", 1, 12, 2, 2.0, 0.0, 0.0),  # offered, in time
        ("a", 4, 13, 3, 2.0, 0.0, 0.5),  # not offered
        ("a", 1, 20, 4, 2.0, 0.0, 0.5),  # offered, when it is over
    )
    mailings = pd.DataFrame({"user_id": ["a", "b"], "offer_id": ["X", "X"], "at": day(10), "ends_at": day(20)})
    for each in (mailings, mailings.assign(offer_id="Z")):  # Z covers nothing
        features = purchases_ahead(each, by_hand(events=events))
        assert features.days_until_purchase.tolist() == pytest.approx([2, np.nan], nan_ok=True)
        assert features.later_visits.tolist() == [3, 0]
        assert features.offered_lines_in_time.tolist() == ([2, 0] if each is mailings else [0, 0])
        assert features.offered_coupons_in_time.tolist() == ([1, 0] if each is mailings else [0, 0])


def test_without_coupons_or_items_nothing_is_counted() -> None:
    events = bought(("a", 1, 12, 1, 2.0, 0.0, 0.5)).drop(columns="coupon")
    mailings = pd.DataFrame({"user_id": ["a"], "offer_id": ["X"], "at": [day(10)], "ends_at": [day(20)]})
    features = purchases_ahead(mailings, by_hand(events=events))
    assert features.iloc[0].tolist() == [2, 1, 1, 0]


def test_no_config_that_trains_can_name_what_looks_ahead() -> None:
    for path in CONFIGS.rglob("*.yaml"):
        assert path.parent.name == "audit" or "omniretail.audit." not in path.read_text(), path
    assert "audit" not in compose()
    with pytest.raises(ValueError, match="choose one or more of customer, past_offers, offer, match, attribute_values"):
        Response(groups=["later_receipts"])


def test_only_the_audit_its_table_and_its_command_import_it() -> None:
    allowed = {"report/tables/leaks.py", "report/pages/audit.py", "commands/audit_run.py"}
    for path in (ROOT / "src/omniretail").rglob("*.py"):
        inside = path.relative_to(ROOT / "src/omniretail")
        own = inside.parts[0] == "audit" or inside.as_posix() in allowed
        assert own or not re.search(r"omniretail\.audit\b", path.read_text()), path
