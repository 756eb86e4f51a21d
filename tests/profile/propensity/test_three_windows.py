"""The three moments: what is known at each, what is asked, and what is refused."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from omniretail.models.profiles.svd import CountSVD
from omniretail.profile.propensity.three_windows import ThreeWindows, three_windows
from omniretail.schema import DataError, Tables
from omniretail.splits.leave_last import LeaveLast
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.profile.probing.factories import CUTOFF, END, LEVELS, SPLIT, WINDOW, items, log, shop

MOMENTS = {"learn": pd.Timestamp("2024-04-08"), "calibrate": pd.Timestamp("2024-05-06"), "serve": CUTOFF}


class Witness:
    """Notes what it is shown; its embedding is the number of events."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def fit(self, train: Train) -> "Witness":
        self.fitted_ = (train.at, int(train.histories.timestamp.max()), len(train.items))
        self.shown_: list[tuple[int, int, int]] = []
        return self

    def embed(self, users: Histories, at: int) -> np.ndarray:
        self.shown_.append((at, int(users.timestamp.max()), users.n_items))
        return (users.lengths[:, None] + self.value).astype(np.float32)


def seen(tmp_path: Path, tables: Tables | None = None, at_least: int = 5) -> ThreeWindows:
    return three_windows(CountSVD(dim=2), tables or shop(), SPLIT, tmp_path, LEVELS, at_least)


def seconds(moment: Any) -> int:
    return int(moment.timestamp())


def test_the_encoder_is_fitted_two_windows_before_the_cutoff_and_never_sees_what_comes_after_a_look(tmp_path: Path):
    witness = Witness()
    found = three_windows(witness, shop(), SPLIT, tmp_path, LEVELS, 5)
    at, newest, n_items = witness.fitted_
    assert newest < at == seconds(MOMENTS["learn"])
    assert [each[0] for each in witness.shown_] == [seconds(each) for each in MOMENTS.values()]
    assert all(newest < at for at, newest, _ in witness.shown_)
    assert {each[2] for each in witness.shown_} == {n_items}
    assert found.window_s == WINDOW.total_seconds()


@pytest.mark.parametrize("name", MOMENTS)
def test_each_look_is_asked_about_the_window_after_it(tmp_path: Path, name: str):
    look, events = getattr(seen(tmp_path), name), log()
    known = events[events.timestamp < MOMENTS[name]].user_id.drop_duplicates().sort_values()
    window = events[events.timestamp.between(MOMENTS[name], MOMENTS[name] + WINDOW, inclusive="left")]
    assert look.train.users.ids.tolist() == known.tolist()
    assert len(look.x) == len(known)
    np.testing.assert_array_equal(look.targets["churn"].truth[:, 0], ~known.isin(window.user_id))
    spent = window.groupby("user_id").value.sum().reindex(known, fill_value=0.0)
    np.testing.assert_allclose(look.targets["spend"].truth[:, 0], spent)
    odd = known.isin(window.user_id[window.item_id % 2 == 1])
    departments = look.targets["department_propensity"]
    np.testing.assert_array_equal(departments.truth[:, departments.classes.index("odd")], odd)


def test_classes_are_those_learned_and_nobody_buys_what_is_gone(tmp_path: Path):
    events = log()
    late = events.timestamp >= MOMENTS["calibrate"]
    events.loc[late & (events.item_id % 4 == 3), "item_id"] -= 2  # kind 3 is no longer sold
    found = seen(tmp_path, shop(events))
    kinds = [f"kind {number}" for number in range(4)]
    for look in (found.learn, found.calibrate, found.serve):
        assert look.targets["category_propensity"].classes == kinds
    bought = [each.targets["category_propensity"].truth.sum(axis=0)[3] for each in (found.learn, found.calibrate)]
    assert bought[0] > bought[1] == 0
    assert found.serve.targets["category_propensity"].truth[:, 3].sum() == 0
    assert found.serve.targets["category_propensity"].truth[:, 1].sum() > 0


def test_items_first_sold_in_a_window_count_in_it(tmp_path: Path):
    events = log()
    late = events.timestamp >= MOMENTS["serve"]
    plain = seen(tmp_path, shop(events)).serve.targets["department_propensity"].truth
    renamed = events.assign(item_id=events.item_id.where(~late, events.item_id + 100))
    catalogue = pd.concat([items(), items().assign(item_id=lambda each: each.item_id + 100)])
    later = three_windows(CountSVD(dim=2), with_items(renamed, catalogue), SPLIT, tmp_path / "other", LEVELS, 5)
    np.testing.assert_array_equal(later.serve.targets["department_propensity"].truth, plain)


def with_items(events: pd.DataFrame, catalogue: pd.DataFrame) -> Tables:
    return replace(shop(events), items=ibis.memtable(catalogue))


def test_words_too_few_buy_are_left_out_and_counted(tmp_path: Path):
    found = seen(tmp_path, at_least=100)
    assert found.learn.targets["category_propensity"].classes == []
    assert found.learn.targets["category_propensity"].left_out == {"words that too few or nearly all buy": 4}


def test_without_an_item_table_only_churn_and_spend_are_asked(tmp_path: Path):
    assert list(seen(tmp_path, replace(shop(), items=None)).learn.targets) == ["churn", "spend"]


def test_a_log_too_short_says_what_to_shorten(tmp_path: Path):
    events = log()
    with pytest.raises(DataError, match=r"three windows of 28 days.*smaller split\.horizon_days"):
        seen(tmp_path, shop(events.loc[events.timestamp >= END - 3 * WINDOW]))


def test_the_split_must_be_by_time(tmp_path: Path):
    with pytest.raises(DataError, match="choose split=temporal"):
        three_windows(CountSVD(dim=2), shop(), LeaveLast(), tmp_path, LEVELS, 5)


def test_the_log_must_have_dates(tmp_path: Path):
    tables = shop()
    with pytest.raises(DataError, match="holds an order only"):
        seen(tmp_path, replace(tables, card=replace(tables.card, clock=False)))


def test_embeddings_must_be_finite(tmp_path: Path):
    with pytest.raises(ValueError, match="Witness gave embeddings that are not finite"):
        three_windows(Witness(np.nan), shop(), SPLIT, tmp_path, LEVELS, 5)
