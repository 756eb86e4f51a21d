from datetime import datetime

import ibis
import pandas as pd
import pytest

from omniretail.signals import Signals
from omniretail.views.profile.recency_frequency import purchases, recency_frequency

AT = datetime(2024, 1, 29)


def log(*rows: tuple[str, str, float], event_type: str = "purchase") -> pd.DataFrame:
    events = pd.DataFrame(rows, columns=["user_id", "timestamp", "value"])
    return events.assign(timestamp=pd.to_datetime(events.timestamp), event_type=event_type)


EVENTS = log(
    ("a", "2024-01-01 09:00", 5.0),
    ("a", "2024-01-01 18:00", 7.0),  # a second order of the first day is part of the first transaction
    ("a", "2024-01-08 23:59", 10.0),
    ("a", "2024-01-15 00:00", 20.0),
    ("a", "2024-01-15 12:00", 4.0),
    ("b", "2024-01-28 12:00", 3.0),
    ("late", "2024-01-29 00:00", 3.0),
)


def customers(events: pd.DataFrame, at: datetime = AT, **settings) -> pd.DataFrame:
    found = recency_frequency(ibis.memtable(events), at=at, **settings).to_pandas()
    return found.set_index("user_id").sort_index()


def test_by_hand():
    found = customers(EVENTS)
    assert list(found.index) == ["a", "b"]
    assert found.loc["a"].to_dict() == {"frequency": 2, "recency": 2.0, "age": 27 / 7, "mean_value": 17.0}
    assert found.loc["b", ["frequency", "recency", "age"]].to_list() == [0, 0, 0]
    assert pd.isna(found.loc["b", "mean_value"])


def test_the_unit_is_a_setting():
    assert customers(EVENTS, unit_days=1.0).loc["a", ["recency", "age"]].to_list() == [14.0, 27.0]


def test_what_comes_after_the_cutoff_changes_nothing():
    later = log(("a", "2024-01-29 00:00", 99.0), ("c", "2024-02-03 00:00", 99.0))
    pd.testing.assert_frame_equal(customers(pd.concat([EVENTS, later])), customers(EVENTS))


def test_only_purchases_count():
    seen = log(("a", "2024-01-20 10:00", 99.0), ("d", "2024-01-20 10:00", 99.0), event_type="view")
    bought = Signals().purchases(ibis.memtable(pd.concat([EVENTS, seen]))).to_pandas()
    pd.testing.assert_frame_equal(customers(bought), customers(EVENTS))


def test_days_are_those_of_the_customers_calendar():
    evening = log(("a", "2024-01-02 01:00", 5.0), ("a", "2024-01-02 06:00", 5.0))  # 20:00 on the 1st, 01:00 on the 2nd
    found = customers(evening, at=datetime(2024, 1, 8, 5), unit_days=1.0, zone="America/New_York")
    assert found.loc["a", ["frequency", "recency", "age"]].to_list() == [1, 1.0, 6.0]
    assert customers(evening).loc["a", "frequency"] == 0


def test_events_without_value():
    found = customers(EVENTS.drop(columns="value"))
    assert found.frequency.to_list() == [2, 0]
    assert found.mean_value.isna().all()


def test_purchases_merge_the_orders_of_a_day():
    bought = purchases(ibis.memtable(EVENTS)).to_pandas().set_index("user_id").sort_index()
    assert bought.purchases.to_dict() == {"a": 3, "b": 1, "late": 1}
    assert bought.value["a"] == pytest.approx(46.0)
