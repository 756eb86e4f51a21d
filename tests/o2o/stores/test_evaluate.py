"""The next-store task: metrics by hand, groups of customers, small runs and the published metrics."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.config import compose
from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.responses.base_rate import BaseRate
from omniretail.models.stores.last import LastStore
from omniretail.models.stores.popular import PopularStore
from omniretail.o2o.stores.evaluate import NextStore
from omniretail.o2o.stores.visit_metrics import GROUPS, QUESTIONS, by_question, per_customer, recent_stores
from omniretail.run import run
from omniretail.splits.temporal import Temporal
from omniretail.sweep import compare
from tests.conftest import shop_events, tables_of
from tests.models.stores.factories import log_of, queries_of
from tests.o2o.golden import SIMULATED, runs_match_golden, tracked_in


def test_worked_by_hand() -> None:
    queries = queries_of([(-1, 1, 1), (0, 1, 0), (0, 2, 1), (0, 3, 2), (1, 1, 3), (2, 1, -1)])
    values = per_customer(np.tile([0.4, 0.3, 0.2, 0.1], (6, 1)), queries)
    assert values.index.tolist() == [-1, 0, 1, 2]
    assert values.accuracy.tolist() == [0, 1 / 3, 0, 0]
    assert values.mrr.tolist() == pytest.approx([1 / 2, (1 + 1 / 2 + 1 / 3) / 3, 1 / 4, 0])
    assert values.recall_at_3.tolist() == [1, 1, 0, 0], "a store without an earlier visit is never predicted"


def test_of_equal_scores_the_lower_number_comes_first() -> None:
    values = per_customer(np.ones((2, 3)), queries_of([(0, 1, 0), (1, 1, 2)]))
    assert values.mrr.tolist() == pytest.approx([1, 1 / 3])


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="a score of a store is not finite"):
        per_customer(np.array([[1, np.nan]]), queries_of([(0, 1, 0)]))


def test_groups_by_the_number_of_stores_visited_before() -> None:
    log = log_of([(0, 10, 1), (0, 20, 1), (0, 99, 0), (1, 5, 0), (1, 6, 1), (2, 99, 0)], n_users=4, n_stores=2)
    queries = queries_of([(-1, 1, 0), (0, 1, 0), (1, 1, 0), (1, 2, 0), (2, 1, 0), (3, 1, 0)])
    none, one, several = GROUPS
    assert recent_stores(log, queries, 91).to_dict() == {-1: none, 0: one, 1: several, 2: none, 3: none}


def test_a_group_has_the_values_of_its_customers_only() -> None:
    values = {"first_visit": pd.DataFrame({"mrr": [1.0, 0.5, 0.0]}, index=[1, 2, 3])}
    table = by_question(values, pd.Series(["one_store", "several_stores", "one_store"], index=[1, 2, 3]))
    assert list(table) == ["first_visit/mrr", "first_visit/one_store/mrr", "first_visit/several_stores/mrr"]
    assert table.mean().tolist() == [0.5, 0.5, 0.5]
    assert table["first_visit/one_store/mrr"].count() == 2


def town_events() -> pd.DataFrame:
    """Each customer goes to the store of their number modulo four, every eighth time to another one."""
    events = shop_events(n_users=30)
    store = np.where(events.basket_id % 8 == 0, 0, events.user_id % 4)
    return events.assign(store_id=[f"s{number}" for number in store])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(tables_of(town_events()), Temporal(horizon_days=20), tmp_path_factory.mktemp("cache"))


def test_one_value_per_customer_question_and_group(data: Dataset) -> None:
    result = NextStore().evaluate(LastStore(), data, "test").result
    assert result.per_unit.index.name == "user_id"
    assert result.counts["customers_judged"] == len(result.per_unit)
    for question in QUESTIONS:
        assert result.value(f"{question}/mrr") == pytest.approx(result.per_unit[f"{question}/mrr"].mean())
    sizes = [result.counts[f"customers_with_{group}"] for group in GROUPS]
    assert sum(sizes) == len(result.per_unit)
    popular = NextStore().evaluate(PopularStore(), data, "test").result
    assert popular.protocol == result.protocol
    assert popular.value("all_visits/accuracy") < result.value("all_visits/accuracy")


def test_what_does_not_fit_is_refused(data: Dataset, tmp_path) -> None:
    without_stores = Dataset(tables_of(shop_events(n_users=5)), Temporal(horizon_days=20), tmp_path)
    with pytest.raises(DataError, match="this log has no store_id"):
        NextStore().evaluate(LastStore(), without_stores, "test")
    with pytest.raises(DataError, match=r"BaseRate has no score\(\).*such as model=store/boosted"):
        NextStore().evaluate(BaseRate(), data, "test")  # type: ignore[arg-type]


def test_small_runs_give_the_golden_metrics_a_table_and_a_page(runs: Path) -> None:
    results = runs_match_golden("next_store", runs, *SIMULATED, "evaluate=[test]")
    (compared,) = compare(f"sqlite:///{runs}/mlflow.db", [each[0].run_id for each in results], "test")
    assert compared.table.index[0] == "StoreOracle"
    assert compared.table.p_best["LastStore"] < 0.05
    page = next(runs.glob("reports/*LastStore*.html")).read_text()
    for words in ("first visit at known time", "several stores", "Recall@3", "Synthetic: every event was drawn"):
        assert words in page


def test_the_complete_journey_gives_the_published_metrics(runs: Path, journey_cache: Path) -> None:
    where = [*tracked_in(runs), f"cache_dir={journey_cache}"]
    (result,) = run(compose("model=store/decayed_frequency", "evaluate=[test]", *where))
    published = {"first_visit/accuracy": 0.7046, "first_visit/mrr": 0.8079, "all_visits/mrr": 0.8009}
    assert {name: result.value(name) for name in published} == pytest.approx(published, abs=1e-4)
    assert (result.counts["customers_judged"], result.counts["visits_judged"]) == (2014, 11688)
