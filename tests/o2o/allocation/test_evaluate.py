"""The allocation task: budgets, methods beside each other by hand, and small runs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.metrics.allocation import budget_metrics
from omniretail.models.responses.base_rate import BaseRate
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.o2o.allocation.budgets import budgets_of
from omniretail.o2o.allocation.comparison import Case, compared, key_of
from omniretail.o2o.allocation.evaluate import Allocation
from omniretail.o2o.allocation.solvers import greedy
from omniretail.splits.temporal import Temporal
from omniretail.sweep import compare
from tests.conftest import shop_events, tables_of
from tests.o2o.allocation.test_solvers import probabilities
from tests.o2o.golden import SIMULATED, runs_match_golden
from tests.o2o.stores.test_evaluate import town_events

PAST = np.array([3, 0])


def test_budgets_follow_the_demand_or_are_equal() -> None:
    predicted = sparse.csr_array(np.array([[0.9, 0.2], [0.9, 0.0], [0.6, 0.0]]))
    assert budgets_of("past_demand", 0.5, predicted, PAST).tolist() == [2, 0]
    assert budgets_of("expected_demand", 0.5, predicted, PAST).tolist() == [2, 1]
    assert budgets_of("equal", 0.5, predicted, PAST).tolist() == [1, 1]
    with pytest.raises(ValueError, match="tightness=0 must be above 0"):
        budgets_of("equal", 0, predicted, PAST)
    with pytest.raises(ValueError, match="'fair' is not one of past_demand, expected_demand, equal"):
        budgets_of("fair", 1, predicted, PAST)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def solved() -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    values = sparse.csr_array(probabilities(60))
    went = np.random.default_rng(2).random((60, 6)) < values.toarray()
    cases = [Case("equal", k, aim, share) for k in (1, 2) for aim in ("value", "f1") for share in (0.3, 0.9)]
    return *compared(values, went, went.sum(axis=0), cases, ["greedy", "auction", "exact"]), went


def test_methods_are_judged_by_who_went(solved) -> None:
    table, per_user, went = solved
    row = table[(table.k == 2) & (table.aim == "value") & (table.tightness == 0.3) & (table.method == "greedy")]
    values, budget = sparse.csr_array(probabilities(60)), np.full(6, np.ceil(0.3 * 60 / 6))
    expected = budget_metrics(greedy(values, budget, 2).matrix(), went, budget)
    assert row[["served", "f1"]].to_numpy()[0] == pytest.approx([expected.served, expected.f1])
    assert per_user[key_of(Case("equal", 2, "value", 0.3), "greedy")].sum() == expected.served
    by_value = table[table.tightness.notna() & (table.aim == "value")].set_index("method").expected
    assert (by_value["exact"].to_numpy() >= by_value["greedy"].to_numpy() - 1e-9).all()


def test_all_sizes_of_budgets_together_have_a_paired_test(solved) -> None:
    table, per_user, _ = solved
    sums = table[table.tightness.isna()]
    assert len(sums) == 2 * 2 * 3
    assert sums[sums.method != "greedy"].p.between(0, 1).all()
    assert sums[sums.method == "greedy"].p.isna().all()
    for row in sums.to_dict("records"):
        key = key_of(Case(row["kind"], row["k"], row["aim"]), row["method"])
        assert per_user[key].sum() == pytest.approx(row["served"] / 2), "a mean over two sizes"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(tables_of(town_events()), Temporal(horizon_days=20), tmp_path_factory.mktemp("cache"))


SMALL_TASK = Allocation(ks=[1], tightness=[0.5, 1.0], horizon_days=20)


def test_two_models_are_compared_by_their_served_customers(data: Dataset) -> None:
    old, recent = (
        SMALL_TASK.evaluate(MostFrequentStore(half_life_days=days), data, "test").result for days in (None, 5)
    )
    assert old.protocol == recent.protocol
    key = "past_demand/k_1/auction/served"
    assert old.value(key) == pytest.approx(old.per_unit[key].mean())
    assert old.per_unit.index.name == "user_id"
    assert old.per_unit.index.equals(recent.per_unit.index)
    assert 0 < old.value("past_demand/k_1/auction/0.5/f1") <= 1


def test_other_methods_do_not_change_the_protocol(data: Dataset) -> None:
    exact = replace(SMALL_TASK, methods=["greedy", "exact"]).evaluate(MostFrequentStore(), data, "test").result
    auction = SMALL_TASK.evaluate(MostFrequentStore(), data, "test").result
    assert exact.protocol == auction.protocol
    key = "equal/k_1/{}/1/expected"
    assert exact.value(key.format("exact")) >= auction.value(key.format("auction")) - 1e-9


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"ks": [0]}, r"task.ks=\[0\]: choose whole numbers from 1"),
        ({"ks": []}, r"task.ks=\[\]: choose whole numbers from 1"),
        ({"tightness": [0.5, 0]}, r"task.tightness=\[0.5, 0\]: choose shares above 0"),
        ({"kinds": ["fair"]}, r"task.kinds=\['fair'\]: choose one or more of past_demand"),
        ({"methods": []}, r"task.methods=\[\]: choose one or more of greedy, auction, exact"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Allocation(**settings)


def test_what_does_not_fit_is_refused(data: Dataset, tmp_path) -> None:
    without_stores = Dataset(tables_of(shop_events(n_users=5)), Temporal(horizon_days=20), tmp_path)
    with pytest.raises(DataError, match="this log has no store_id"):
        Allocation().evaluate(MostFrequentStore(), without_stores, "test")
    with pytest.raises(DataError, match=r"BaseRate has no visit_probability\(\)"):
        Allocation().evaluate(BaseRate(), data, "test")  # type: ignore[arg-type]


SMALL = (*SIMULATED, "task=allocation", "task.tightness=[0.5,1]", "evaluate=[test]")


def test_small_runs_give_the_golden_metrics_a_table_and_a_page(runs: Path) -> None:
    results = runs_match_golden("allocation", runs, *SMALL)
    (compared_runs,) = compare(f"sqlite:///{runs}/mlflow.db", [each[0].run_id for each in results], "test")
    assert {"past_demand/k_1/auction/served", "equal/k_1/auction/0.5/f1"} <= {*compared_runs.table}
    assert compared_runs.table.p_best.iloc[1] <= 1
    page = next(runs.glob("reports/*VisitProbability*.html")).read_text()
    for words in ("Budgets by past demand, 1 per customer", "Equal budgets, 2 per customer", "auction serves", "gap ≤"):
        assert words in page
    sent = pd.read_csv(next(runs.glob("reports/*VisitProbability*_customers.csv")))
    assert list(sent) == ["user_id", "store_id", "probability"]
    assert sent.probability.is_monotonic_decreasing
    assert not sent.duplicated("user_id").any(), "one offer per customer"
    table = pd.read_parquet(next(runs.rglob("artifacts/results/test/allocation.parquet")))
    assert {"offers", "expected", "gap", "served", "precision", "recall", "f1", "p"} <= {*table}
