"""The lifetime task: customers, errors and totals by hand, baselines, and what is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.lifetime.naive_rates import MeanRate, OwnRate
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.lifetime import Lifetime
from omniretail.report.pages.lifetime import page
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.temporal import Temporal
from omniretail.tasks import Evaluation
from tests.conftest import tables_of
from tests.report.reading import ReadPage

END = pd.Timestamp("2024-07-01")


def data(cache: Path, with_value: bool = True) -> Dataset:
    """Customer a buys every week, but twice only in the last four; b buys once, c is new in the last window."""
    days = {"a": [1, 8, *range(29, 85, 7)], "b": [40], "c": [3]}
    rows = [(user, END - pd.Timedelta(days=day)) for user, own in days.items() for day in own]
    events = pd.DataFrame(rows, columns=["user_id", "timestamp"])
    events = events.assign(item_id=1, basket_id=range(len(events)), event_type="purchase", channel="online")
    return Dataset(tables_of(events.assign(value=10.0) if with_value else events), Temporal(28), cache)


def evaluated(cache: Path, with_value: bool = True, unit_days: float = 7.0) -> Evaluation:
    return Lifetime(unit_days).evaluate(OwnRate(), data(cache, with_value), "test")


def test_errors_and_totals_by_hand(tmp_path: Path) -> None:
    """a makes 7 repeat purchases in the 49 days before the cutoff, so that 4 are expected in four weeks."""
    evaluation = evaluated(tmp_path)
    result = evaluation.result
    predictions = evaluation.tables["predictions"].set_index("user_id")
    assert predictions.purchases.to_dict() == pytest.approx({"a": 4.0, "b": 0.0})
    assert result.per_unit["purchases/mae"].to_dict() == pytest.approx({"a": 2.0, "b": 0.0})
    assert result.value("purchases/mae") == pytest.approx(1.0)
    assert result.value("purchases/rmse") == pytest.approx(np.sqrt(2))
    assert result.value("value/actual") == 20.0
    assert result.value("value/predicted") == pytest.approx(40.0)
    assert result.counts == {"customers": 2}, "c is new"


def test_the_unit_of_time_changes_nothing_of_a_rate(tmp_path: Path) -> None:
    weeks, days = (evaluated(tmp_path / str(unit), unit_days=unit).result for unit in (7.0, 1.0))
    assert weeks.values() == pytest.approx(days.values())
    assert weeks.protocol != days.protocol


def test_without_values_there_are_purchases_only(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, with_value=False)
    assert set(evaluation.result.metrics["group"]) == {"purchases"}
    page(tmp_path / "page.html", evaluation, data(tmp_path).tables.card)
    assert " value " not in ReadPage(tmp_path / "page.html").text.partition("Predicted and observed")[2][:200]


def test_the_page_explains_parameters(tmp_path: Path) -> None:
    evaluation = Lifetime().evaluate(MeanRate(), data(tmp_path), "test")
    assert evaluation.result.value("fitted/mean_value") == 10.0
    page(tmp_path / "page.html", evaluation, data(tmp_path).tables.card)
    text = ReadPage(tmp_path / "page.html").text
    for phrase in ("Mean rate", "purchases per week", "test shop", "in the 28 days after the cutoff"):
        assert phrase in text, phrase


def test_validation_is_the_window_before(tmp_path: Path) -> None:
    result = Lifetime().evaluate(OwnRate(), data(tmp_path), "val").result
    assert result.value("purchases/actual") == 4.0
    assert result.counts == {"customers": 1}, "b is new in the window of validation"


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Lifetime: unit_days=0 must be above 0"):
        Lifetime(unit_days=0)
    with pytest.raises(DataError, match="needs dates and split=temporal; try source=cdnow"):
        Lifetime().evaluate(OwnRate(), data(tmp_path).with_split(LeaveLast()), "test")
    with pytest.raises(DataError, match=r"ProfileTable has no predict\(\).*such as model=lifetime/bg_nbd"):
        Lifetime().evaluate(ProfileTable(), data(tmp_path), "test")  # type: ignore[arg-type]
