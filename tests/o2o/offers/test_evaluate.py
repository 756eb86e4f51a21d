"""The response task on a random shop, and on real campaigns through settings, tracking and the comparison."""

from dataclasses import replace
from pathlib import Path
from typing import Self

import ibis
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.recommenders.popular import Popular
from omniretail.models.responses.lightgbm import LightGBM
from omniretail.models.responses.logistic import Logistic
from omniretail.models.responses.single_feature import SingleFeature
from omniretail.o2o.offers.evaluate import Response
from omniretail.sweep import compare
from tests.conftest import tables_of
from tests.o2o.golden import runs_match_golden
from tests.o2o.offers.factories import EVENTS, random_shop

TASK = Response(levels=["department", "category"], val_from="2024-02-10", test_from="2024-03-10")


class Spy:
    """Records the rows that it gets."""

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        self.learned, self.y = rows, y
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        self.judged = rows
        return np.full(len(rows), self.p)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return Dataset(replace(random_shop(), version="1"), cache=tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize(
    "groups", [["customer", "past_offers", "offer", "match"], ["match"], ["offer", "attribute_values"]]
)
def test_a_model_sees_the_features_of_its_groups_and_nothing_else(groups: list, data: Dataset) -> None:
    spy = Spy()
    result = replace(TASK, groups=groups).evaluate(spy, data, "test").result
    of_group = {"customer": "visits", "past_offers": "redeemed_rate", "offer": "kind", "match": "offered_share"}
    of_group["attribute_values"] = "bought_share_of_kind 3"
    for group, column in of_group.items():
        assert (column in spy.learned) == (group in groups)
    assert list(spy.learned) == list(spy.judged)
    assert not {"user_id", "offer_id", "redeemed_at"} & set(spy.learned)
    assert (len(spy.learned), len(spy.judged)) == (result.counts["learned"], result.counts["judged"])
    assert spy.y.sum() == result.counts["learned_redeemed"]


@pytest.mark.parametrize("model", [Logistic(), LightGBM(n_estimators=5)])
def test_models_learn_from_attributes_of_customers(model, data: Dataset) -> None:
    users = pd.DataFrame({"user_id": sorted(data.tables.offer_events.to_pandas().user_id.unique())[:-3]})
    users = users.assign(age=[30.0, None] * 18 + [40.0], segment=["a", None, "b"] * 12 + ["a"], vip=[True] * 37)
    shop = replace(data, tables=replace(data.tables, users=ibis.memtable(users), version="3"))
    shop = replace(shop, user_attributes={"age": "age", "group": "segment", "vip": "vip"})
    spy, task = Spy(), replace(TASK, groups=["user_attributes"])
    task.evaluate(spy, shop, "test")
    assert list(spy.learned) == ["user_age", "user_group", "user_vip"]
    assert spy.learned.user_age.dtype == float
    assert set(spy.learned.user_group.dropna()) == {"a", "b"}
    assert spy.learned.user_vip.isna().any(), "customers without a row have no attributes"
    assert len(task.evaluate(model, shop, "test").result.per_unit) == len(spy.judged)
    with pytest.raises(DataError, match=r"no attributes of customers .* set source\.users_path"):
        task.evaluate(Spy(), data, "test")


def test_a_result_counts_what_is_judged_and_what_is_left_out(data: Dataset) -> None:
    result = TASK.evaluate(SingleFeature("redeemed_rate"), data, "val").result
    assert result.model == "By redeemed rate"
    assert len(result.per_unit) == result.counts["judged"] == 60
    assert result.counts["left_out/running at the cutoff"] == 20
    assert result.counts["left_out/redemption outside the offer's time"] > 0
    assert {"auc", "auc_per_offer", "average_precision", "log_loss", "brier", "ece"} <= result.values().keys()


def test_runs_on_other_features_are_comparable_and_told_apart(data: Dataset) -> None:
    results = [replace(TASK, groups=groups).evaluate(Spy(), data, "val").result for groups in (["customer"], ["match"])]
    assert results[0].protocol == results[1].protocol
    assert ["groups=customer" in each.parameters for each in results] == [True, False]
    later = replace(TASK, test_from="2024-03-20").evaluate(Spy(), data, "val").result
    assert later.protocol != results[0].protocol


@pytest.mark.parametrize("p", [np.nan, 1.2, -0.1])
def test_predictions_that_are_no_probabilities_are_refused(p: float, data: Dataset) -> None:
    with pytest.raises(ValueError, match="Spy predicts values that are no probabilities"):
        TASK.evaluate(Spy(p), data, "val")


def test_mistakes_are_named(data: Dataset) -> None:
    with pytest.raises(ValueError, match=r"task.groups=\['past'\]: choose one or more of customer, past_offers"):
        Response(groups=["past"])
    with pytest.raises(ValueError, match=r"such as offers\.val_from="):
        Response().evaluate(Spy(), data, "val")
    with pytest.raises(DataError, match="source=complete_journey"):
        TASK.evaluate(Spy(), replace(data, tables=replace(tables_of(EVENTS), version="2")), "val")
    with pytest.raises(DataError, match=r"Popular has no predict_proba\(\).*such as model=response/logistic"):
        TASK.evaluate(Popular(), data, "val")


def test_real_campaigns_give_the_golden_metrics(runs: Path, journey_cache: Path) -> None:
    uri = f"sqlite:///{runs}/mlflow.db"
    run_ids = [results[0].run_id for results in runs_match_golden("response", runs, f"cache_dir={journey_cache}")]

    back = tracking.load_result(uri, run_ids[0], "test")
    assert back.per_unit.index.names == ["user_id", "offer_id"]
    metrics = MlflowClient(uri).get_run(run_ids[0]).data.metrics
    assert metrics["test/auc"] == back.value("auc")
    assert {"val/auc_per_offer_low", "val/brier", "val/judged", "val/fit_s"} <= metrics.keys()

    (compared,) = compare(uri, run_ids, "val")
    assert compared.table.index.tolist() == ["LightGBM", "Logistic", "By redeemed rate"]
    assert compared.table.p_best["By redeemed rate"] < 0.001
    assert compared.table.p_best["Logistic"] > 0.05
    compared.write_html(Path("page.html"))
    assert "AUC per offer" in Path("page.html").read_text()
