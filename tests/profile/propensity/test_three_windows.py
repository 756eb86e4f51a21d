"""Three windows: what is known at each cutoff, the labels, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.models.profiles.svd import CountSVD
from omniretail.profile.propensity.three_windows import ThreeWindows, three_windows
from omniretail.schema import Tables
from omniretail.splits.leave_last import LeaveLast
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.profile.probing.factories import CUTOFF, END, LEVELS, WINDOW, dataset, items, log, shop

CUTOFFS = {"learning": pd.Timestamp("2024-04-08"), "calibration": pd.Timestamp("2024-05-06"), "test": CUTOFF}


class Witness:
    """Records its inputs; its embedding is the number of events."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def fit(self, train: Train) -> "Witness":
        self.fitted_ = (train.at, int(train.histories.timestamp.max()), len(train.items))
        self.inputs_: list[tuple[int, int, int]] = []
        return self

    def embed(self, users: Histories, at: int) -> np.ndarray:
        self.inputs_.append((at, int(users.timestamp.max()), users.n_items))
        return (users.lengths[:, None] + self.value).astype(np.float32)


def windows_of(tmp_path: Path, tables: Tables | None = None, min_buyers: int = 5) -> ThreeWindows:
    return three_windows(CountSVD(dim=2), dataset(tmp_path, tables), "test", LEVELS, min_buyers)


def seconds(time: Any) -> int:
    return int(time.timestamp())


def test_the_encoder_is_fitted_two_windows_before_the_cutoff_and_reads_nothing_after_a_cutoff(tmp_path: Path) -> None:
    witness = Witness()
    windows = three_windows(witness, dataset(tmp_path), "test", LEVELS, 5)
    at, newest, n_items = witness.fitted_
    assert newest < at == seconds(CUTOFFS["learning"])
    assert [each[0] for each in witness.inputs_] == [seconds(each) for each in CUTOFFS.values()]
    assert all(newest < at for at, newest, _ in witness.inputs_)
    assert {each[2] for each in witness.inputs_} == {n_items}
    assert windows.window_s == WINDOW.total_seconds()


@pytest.mark.parametrize("name", CUTOFFS)
def test_labels_are_those_of_the_window_after_each_cutoff(tmp_path: Path, name: str) -> None:
    snapshot, events = getattr(windows_of(tmp_path), name), log()
    known = events[events.timestamp < CUTOFFS[name]].user_id.drop_duplicates().sort_values()
    window = events[events.timestamp.between(CUTOFFS[name], CUTOFFS[name] + WINDOW, inclusive="left")]
    assert snapshot.train.users.ids.tolist() == known.tolist()
    assert len(snapshot.x) == len(known)
    np.testing.assert_array_equal(snapshot.targets["churn"].truth[:, 0], ~known.isin(window.user_id))
    spent = window.groupby("user_id").value.sum().reindex(known, fill_value=0.0)
    np.testing.assert_allclose(snapshot.targets["spend"].truth[:, 0], spent)
    odd = known.isin(window.user_id[window.item_id % 2 == 1])
    departments = snapshot.targets["department_propensity"]
    np.testing.assert_array_equal(departments.truth[:, departments.classes.index("odd")], odd)


def test_classes_are_those_learned_and_nobody_buys_what_is_not_sold_any_more(tmp_path: Path) -> None:
    events = log()
    late = events.timestamp >= CUTOFFS["calibration"]
    events.loc[late & (events.item_id % 4 == 3), "item_id"] -= 2  # kind 3 is no longer sold
    windows = windows_of(tmp_path, shop(events))
    kinds = [f"kind {number}" for number in range(4)]
    for snapshot in (windows.learning, windows.calibration, windows.test):
        assert snapshot.targets["category_propensity"].classes == kinds
    bought = [
        each.targets["category_propensity"].truth.sum(axis=0)[3] for each in (windows.learning, windows.calibration)
    ]
    assert bought[0] > bought[1] == 0
    assert windows.test.targets["category_propensity"].truth[:, 3].sum() == 0
    assert windows.test.targets["category_propensity"].truth[:, 1].sum() > 0


def test_items_first_sold_in_a_window_count_in_it(tmp_path: Path) -> None:
    events = log()
    late = events.timestamp >= CUTOFFS["test"]
    plain = windows_of(tmp_path, shop(events)).test.targets["department_propensity"].truth
    renamed = events.assign(item_id=events.item_id.where(~late, events.item_id + 100))
    catalogue = pd.concat([items(), items().assign(item_id=lambda each: each.item_id + 100)])
    later = windows_of(tmp_path / "other", with_items(renamed, catalogue))
    np.testing.assert_array_equal(later.test.targets["department_propensity"].truth, plain)


def with_items(events: pd.DataFrame, catalogue: pd.DataFrame) -> Tables:
    return replace(shop(events), items=ibis.memtable(catalogue))


def test_classes_too_few_buy_are_left_out_and_counted(tmp_path: Path) -> None:
    windows = windows_of(tmp_path, min_buyers=100)
    assert windows.learning.targets["category_propensity"].classes == []
    assert windows.learning.targets["category_propensity"].left_out == {
        "classes that too few or nearly all customers buy": 4
    }


def test_without_an_items_table_there_are_churn_and_spend_only(tmp_path: Path) -> None:
    assert list(windows_of(tmp_path, replace(shop(), items=None)).learning.targets) == ["churn", "spend"]


def test_a_log_too_short_says_what_to_shorten(tmp_path: Path) -> None:
    events = log()
    with pytest.raises(DataError, match=r"three windows of 28 days.*smaller split\.horizon_days"):
        windows_of(tmp_path, shop(events.loc[events.timestamp >= END - 3 * WINDOW]))


def test_the_split_must_be_by_time(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="choose split=temporal"):
        three_windows(CountSVD(dim=2), dataset(tmp_path).with_split(LeaveLast()), "test", LEVELS, 5)


def test_the_log_must_have_dates(tmp_path: Path) -> None:
    tables = shop()
    with pytest.raises(DataError, match="an order of events only"):
        windows_of(tmp_path, replace(tables, card=replace(tables.card, clock=False)))


def test_embeddings_must_be_finite(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Witness gave embeddings that are not finite"):
        three_windows(Witness(np.nan), dataset(tmp_path), "test", LEVELS, 5)


def test_validation_is_one_window_earlier_and_reads_nothing_of_the_test_window(tmp_path: Path) -> None:
    witness = Witness()
    windows = three_windows(witness, dataset(tmp_path), "val", LEVELS, 5)
    assert [each[0] for each in witness.inputs_] == [seconds(each - WINDOW) for each in CUTOFFS.values()]
    events = log()
    window = events[events.timestamp.between(CUTOFF - WINDOW, CUTOFF, inclusive="left")]
    absent = ~windows.test.train.users.ids.isin(window.user_id)
    np.testing.assert_array_equal(windows.test.targets["churn"].truth[:, 0], absent)


def test_a_log_with_three_windows_is_too_short_for_validation(tmp_path: Path) -> None:
    events = log()
    data = dataset(tmp_path, shop(events.loc[events.timestamp >= END - 3.5 * WINDOW]))
    assert three_windows(CountSVD(dim=2), data, "test", LEVELS, 5)
    with pytest.raises(
        DataError, match=r"propensity on val needs three windows.*evaluate=\[test\] needs one window less"
    ):
        three_windows(CountSVD(dim=2), data, "val", LEVELS, 5)
