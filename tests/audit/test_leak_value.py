"""A leak is worth something where there is one, and nothing where there is none."""

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from benchmarks.tianchi_shaped import write_tianchi_shaped

from omniretail.audit.leak_value import ALL_LEAKS, LEAKS, NO_LEAK, LeakTask, contest_task, leak_task, leak_value
from omniretail.commands.audit_run import REPORT
from omniretail.models.responses.logistic import Logistic
from omniretail.o2o.offers.evaluate import Response
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.format import NOTHING
from omniretail.schema import DataError, DatasetCard
from omniretail.sources.protocol import load
from omniretail.sources.tianchi_o2o import TianchiO2O
from tests.conftest import tables_of
from tests.o2o.offers.factories import random_parts, random_shop

OFFERS = Response(levels=["department", "category"], val_from="2024-02-10", test_from="2024-03-10")


def planted(seed: int = 0, n: int = 600) -> LeakTask:
    """An honest feature with some signal; of the leaky features ``later_visits`` alone has more."""
    rng = np.random.default_rng(seed)
    names = list(dict.fromkeys(column for leak in LEAKS.values() for column in leak))
    rows = pd.DataFrame(rng.normal(size=(2 * n, len(names) + 1)), columns=["honest", *names])
    chance = 1 / (1 + np.exp(-rows.honest - 2 * rows.later_visits))
    y = (rng.random(2 * n) < chance).astype(float).to_numpy()
    labels = pd.DataFrame({"user_id": np.arange(n) // 2, "offer_id": np.arange(n) % 4, "truth": y[n:]})
    return LeakTask(
        rows[:n], y[:n], rows[n:].reset_index(drop=True), ["honest"], labels, "test", {"task": "leak_value"}
    )


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    results = leak_value(planted(), {"logistic": Logistic})["logistic"]
    return REPORT.compare(results, DatasetCard("planted"), {}).table


def test_only_the_leak_that_is_there_is_worth_something(table: pd.DataFrame) -> None:
    assert set(table.index) == {NO_LEAK, *LEAKS, ALL_LEAKS}
    assert table.auc["later visits"] > table.auc[NO_LEAK] + 0.1
    assert table.p_baseline["later visits"] < 1e-6
    assert table.p_baseline[ALL_LEAKS] < 1e-6
    assert table.gain_low["later visits"] > 0.05
    for leak in ("later offers", "offered items bought in the offer's time"):
        assert table.p_baseline[leak] > 0.05
        assert abs(table.gain[leak]) < 0.02
    np.testing.assert_allclose(table.gain.dropna(), (table.auc - table.auc[NO_LEAK]).drop(NO_LEAK))
    assert (table.auc_low < table.auc).all()
    assert (table.auc < table.auc_high).all()


def test_the_gain_stands_beside_the_auc_and_names_the_baseline(table: pd.DataFrame) -> None:
    text = text_table(table)
    cells = text.cells.set_index("model")
    assert cells.Gain[NO_LEAK] == NOTHING
    assert float(cells.Gain["later visits"].lstrip("+")) == pytest.approx(table.gain["later visits"], abs=1e-3)
    assert cells[f"vs {NO_LEAK} (p)"][NO_LEAK] == NOTHING
    assert "(<0.001)" in cells[f"vs {NO_LEAK} (p)"]["later visits"]
    assert "600 mailings" in text.sentences[0]


def test_mailings_are_judged_as_in_training_and_leaks_see_the_whole_log(tmp_path) -> None:
    tables = replace(random_shop(), version="1")
    task, fold = leak_task(OFFERS, tables, "test", tmp_path), OFFERS.fold(tables, "test", tmp_path)
    pd.testing.assert_frame_equal(task.judged[task.honest], fold.judged.rows.reindex(columns=task.honest))
    np.testing.assert_array_equal(task.y, fold.y)
    assert not set(task.honest) & {column for leak in LEAKS.values() for column in leak}
    assert task.learned.later_visits.mean() > 1
    ends = pd.Series(fold.learned.ends_at).max()
    parts = random_parts()
    parts["events"] = parts["events"][parts["events"].timestamp < ends]
    blind = leak_task(
        replace(OFFERS, until="2024-05-01"),
        replace(tables_of(parts.pop("events"), **parts), version="2"),
        "test",
        tmp_path,
    )
    assert (blind.learned.later_visits < task.learned.later_visits).any()


def test_the_contests_receipts(tmp_path) -> None:
    write_tianchi_shaped(tmp_path / "raw", n_offline=6_000, n_online=3_000, n_test=200)
    tables = load(TianchiO2O(tmp_path / "raw"), tmp_path / "cache")
    task = leak_task(Response(), tables, "val", tmp_path)
    assert len(task.learned) == len(task.y)
    assert task.learned.later_receipts.mean() > 0.1
    assert task.judged.offered_lines_in_time[task.labels.truth == 1].min() >= 1  # used: the purchase lies in its time
    assert task.judged.offered_lines_in_time[task.labels.truth == 0].mean() < 0.2
    with pytest.raises(DataError, match="not in the files"):
        contest_task(tables, "test")


def test_without_a_date_of_validation_there_is_no_task(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"offers\.val_from="):
        leak_task(Response(until=str(datetime(2024, 4, 1))), replace(random_shop(), version="3"), "val", tmp_path)
