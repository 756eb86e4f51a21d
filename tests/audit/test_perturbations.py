"""Other futures leave the past as it was, and do change what comes after."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from omniretail.audit.as_of import AsOf
from omniretail.audit.audited_views import arrays
from omniretail.audit.detect import differing
from omniretail.audit.perturbations import another_past, everything, perturbations
from omniretail.schema import Tables, check
from tests.o2o.offers.factories import random_shop

AT = datetime(2024, 2, 26)
NAMES = sorted(perturbations(random_shop()))


def sorted_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns)).reset_index(drop=True)


def parts(tables: Tables) -> dict[str, tuple[pd.DataFrame, pd.DataFrame]]:
    """What lies before the moment and what after it; mailings of the moment itself lie before."""
    events, moves = tables.events.to_pandas(), tables.offer_events.to_pandas()
    past = {"events": events.timestamp < AT, "offer_events": moves.timestamp < AT}
    past["offer_events"] |= (moves.event_type == "sent") & (moves.timestamp == AT)
    frames = {"events": events, "offer_events": moves}
    return {name: (sorted_rows(frames[name][mask]), sorted_rows(frames[name][~mask])) for name, mask in past.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_past_stays_and_the_future_changes(name: str) -> None:
    tables = random_shop()
    other = perturbations(tables)[name](tables, AT, np.random.default_rng(0))
    check(other)
    before, after = parts(tables), parts(other)
    for table in before:
        pd.testing.assert_frame_equal(before[table][0], after[table][0])
    assert any(not before[table][1].equals(after[table][1]) for table in before)


def test_new_customers_items_and_offers_are_new() -> None:
    tables = random_shop()
    other = everything(tables, AT, np.random.default_rng(0))
    for table, column in (("events", "user_id"), ("events", "item_id"), ("offers", "offer_id")):
        known, now = (set(getattr(each, table).to_pandas()[column]) for each in (tables, other))
        assert known < now


def test_the_control_takes_the_second_half_of_the_past() -> None:
    tables = random_shop()
    events, left = tables.events.to_pandas(), another_past(tables, AT, np.random.default_rng(0)).events.to_pandas()
    assert left[left.timestamp < AT].timestamp.max() < pd.Timestamp("2024-01-29")
    assert len(left[left.timestamp >= AT]) == len(events[events.timestamp >= AT])


def test_a_log_without_offers_has_no_other_mailings() -> None:
    assert list(perturbations(replace(random_shop(), offers=None))) == [
        "events removed",
        "events changed",
        "events added",
    ]


@settings(max_examples=5, deadline=None, phases=[Phase.generate])
@given(day=st.integers(30, 110), seed=st.integers(0, 10**6))
def test_training_arrays_hold_at_any_moment_under_any_future(day: int, seed: int) -> None:
    tables, at = random_shop(), datetime(2024, 1, 1) + pd.Timedelta(days=day)
    other = everything(tables, at, np.random.default_rng(seed))
    assert differing(arrays(AsOf(tables, at).train), arrays(AsOf(other, at).train)) == {}
