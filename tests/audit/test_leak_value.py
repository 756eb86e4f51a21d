"""A leak is found where there is one, and not where there is none."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from benchmarks.tianchi_shaped import write_tianchi_shaped

from omniretail.audit.leak_value import ALL, HONEST, LEAKS, LeakTask, contest_task, leak_value, task_of
from omniretail.models.responses.logistic import Logistic
from omniretail.o2o.offers.evaluate import Response
from omniretail.report.tables.leaks import worth_cells, worth_legend
from omniretail.schema import DataError
from omniretail.sources.protocol import load
from omniretail.sources.tianchi_o2o import TianchiO2O
from tests.conftest import tables_of
from tests.o2o.offers.factories import random_parts, random_shop

OFFERS = Response(levels=["department", "category"], val_from="2024-02-10", test_from="2024-03-10")


def planted(seed: int = 0, n: int = 600) -> LeakTask:
    """An honest column that tells something; of what lies ahead, ``later_visits`` alone tells more."""
    rng = np.random.default_rng(seed)
    names = list(dict.fromkeys(column for leak in LEAKS.values() for column in leak))
    rows = pd.DataFrame(rng.normal(size=(2 * n, len(names) + 1)), columns=["honest", *names])
    chance = 1 / (1 + np.exp(-rows.honest - 2 * rows.later_visits))
    y = (rng.random(2 * n) < chance).astype(float).to_numpy()
    told = pd.DataFrame({"user_id": np.arange(n) // 2, "offer_id": np.arange(n) % 4, "truth": y[n:]})
    return LeakTask(rows[:n], y[:n], rows[n:].reset_index(drop=True), ["honest"], told)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return leak_value(planted(), {"logistic": Logistic})


def test_only_the_leak_that_is_there_is_worth_something(table: pd.DataFrame) -> None:
    rows = table.set_index("ahead")
    assert list(rows.index) == [HONEST, *LEAKS, ALL]
    assert rows.auc["later purchases"] > rows.auc[HONEST] + 0.1
    assert rows.p["later purchases"] < 1e-6
    assert rows.p[ALL] < 1e-6
    assert rows.gain_low["later purchases"] > 0.05
    for ahead in ("later receipts", "its items bought in its time"):
        assert rows.p[ahead] > 0.05
        assert abs(rows.gain[ahead]) < 0.02
    np.testing.assert_allclose(rows.gain.dropna(), (rows.auc - rows.auc[HONEST]).drop(HONEST))
    assert (rows.auc_low < rows.auc).all()
    assert (rows.auc < rows.auc_high).all()


def test_both_figures_stand_side_by_side(table: pd.DataFrame) -> None:
    cells = worth_cells(table).set_index("told beside")
    assert cells.gain[HONEST] == "–"
    assert cells.gain["later purchases"].startswith("**+0.")
    assert "**" not in cells.gain["later receipts"]
    assert worth_legend(table)[0].startswith("600 rows judged, ")


def test_offers_are_judged_as_in_training_and_look_ahead_over_the_whole_log(tmp_path) -> None:
    tables = replace(random_shop(), version="1")
    task, fold = task_of(OFFERS, tables, "test", tmp_path), OFFERS.fold(tables, "test", tmp_path)
    pd.testing.assert_frame_equal(task.judged[task.honest], fold.judged.rows.reindex(columns=task.honest))
    np.testing.assert_array_equal(task.y, fold.y)
    assert not set(task.honest) & {column for leak in LEAKS.values() for column in leak}
    assert task.learned.later_visits.mean() > 1
    ends = pd.Series(fold.learned.ends_at).max()
    known = random_parts()
    known["events"] = known["events"][known["events"].timestamp < ends]
    blind = task_of(
        replace(OFFERS, until="2024-05-01"),
        replace(tables_of(known.pop("events"), **known), version="2"),
        "test",
        tmp_path,
    )
    assert (blind.learned.later_visits < task.learned.later_visits).any()


def test_the_contests_receipts(tmp_path) -> None:
    write_tianchi_shaped(tmp_path / "raw", n_offline=6_000, n_online=3_000, n_test=200)
    tables = load(TianchiO2O(tmp_path / "raw"), tmp_path / "cache")
    task = task_of(Response(), tables, "val", tmp_path)
    assert len(task.learned) == len(task.y)
    assert task.learned.later_receipts.mean() > 0.1
    assert task.judged.offered_lines_in_time[task.answers.truth == 1].min() >= 1  # used: the purchase lies in its time
    assert task.judged.offered_lines_in_time[task.answers.truth == 0].mean() < 0.2
    with pytest.raises(DataError, match="not in the files"):
        contest_task(tables, "test")


def test_without_a_date_to_judge_from_there_is_no_task(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"set offers\.val_from"):
        task_of(Response(until=str(datetime(2024, 4, 1))), replace(random_shop(), version="3"), "val", tmp_path)
