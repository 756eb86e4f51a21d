"""The uplift task on a simulated retailer, whose true effects are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail.config import compose
from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.recommenders.popular import Popular
from omniretail.models.uplift.random import Random
from omniretail.models.uplift.true_effect import TrueEffect
from omniretail.o2o.uplift.cached import load_experiment
from omniretail.o2o.uplift.campaign_metrics import balance, coupons, measured
from omniretail.o2o.uplift.evaluate import Uplift
from omniretail.o2o.uplift.experiment_rows import Experiment, campaigns
from omniretail.registry.register import register
from omniretail.run import run
from omniretail.serving.load_registered import load_registered
from omniretail.sources.protocol import load
from omniretail.sources.simulator.source import Simulate
from omniretail.sweep import compare
from tests.conftest import shop_events, tables_of
from tests.o2o.golden import SIMULATED, runs_match_golden, tracked_in

SOURCE = Simulate(n_customers=1000, n_weeks=16)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    cache = tmp_path_factory.mktemp("cache")
    return Dataset(load(SOURCE, cache), cache=cache)


@pytest.fixture(scope="module")
def learned(data: Dataset) -> Experiment:
    return load_experiment(data.tables, campaigns(data.tables)[:-1], ["category"], data.cache)


@pytest.fixture(scope="module")
def judged(data: Dataset) -> Experiment:
    return load_experiment(data.tables, campaigns(data.tables)[-1:], ["category"], data.cache)


def test_the_true_effect_beats_a_random_order(data: Dataset) -> None:
    true, random = (Uplift().evaluate(model, data, "test").result for model in (TrueEffect(SOURCE), Random()))
    row = true.metrics.set_index("metric").loc["qini"]
    assert 0 < row.low < row.value < row.high
    assert true.value("qini") > random.value("qini")
    assert true.value("uplift_at_10") > true.counts["average_effect"]
    assert abs(true.counts["balance_auc"] - 0.5) < 0.1
    assert true.per_unit.index.names == ["user_id", "offer_id"]
    assert true.protocol == random.protocol
    assert len(true.resampled) == len(random.resampled) == 500


def test_validation_is_the_campaign_before_the_last(data: Dataset) -> None:
    offers = campaigns(data.tables).offer_id
    val, test = (Uplift(n_resamples=5).evaluate(Random(), data, stage).result for stage in ("val", "test"))
    assert [set(each.per_unit.index.get_level_values("offer_id")) for each in (val, test)] == [
        {offers.iloc[-2]},
        {offers.iloc[-1]},
    ]
    assert val.counts["learned_campaigns"] == len(offers) - 2


def test_a_classifier_tells_whether_coupons_were_sent_at_random(learned: Experiment) -> None:
    assert balance(learned) == pytest.approx(0.5, abs=0.08)
    visits = learned.rows.visits.to_numpy()
    assert balance(replace(learned, treated=visits > np.median(visits))) > 0.95


@pytest.mark.parametrize(("treated", "who"), [(True, "everybody"), (False, "nobody")])
def test_a_coupon_for_all_or_for_none_shows_no_effect(judged: Experiment, treated: bool, who: str) -> None:
    one_group = replace(judged, treated=np.full(len(judged), treated))
    with pytest.raises(ValueError, match=f"{who} was treated"):
        measured(one_group, np.zeros(len(judged)), [0.1], 5)
    with pytest.raises(ValueError, match=f"{who} was treated"):
        balance(one_group)


def test_sure_things_and_persuadables_add_up(judged: Experiment) -> None:
    flat = np.zeros(len(judged))
    (row,) = coupons(judged, flat, [0.2]).to_dict("records")
    assert row["buy"] == pytest.approx(row["sure_things"] + row["persuadables"])
    effect = judged.y[judged.treated].mean() - judged.y[~judged.treated].mean()
    assert row["persuadables"] == pytest.approx(100 * effect)
    assert row["coupons"] == len(judged), "everybody has the same score"
    values = measured(judged, flat, [0.2], 5)["metrics"].set_index("metric").value
    assert values["uplift_at_20"] == pytest.approx(effect)
    assert values["sure_things_at_20"] == pytest.approx(row["sure_things"] / 100)


def test_what_does_not_fit_is_refused(data: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Popular has no predict\(\).*configs/model/uplift"):
        Uplift().evaluate(Popular(), data, "test")
    with pytest.raises(DataError, match="has no offers with dates"):
        Uplift().evaluate(Random(), Dataset(tables_of(shop_events(n_users=5)), cache=tmp_path), "test")
    short = replace(data.tables, offers=data.tables.offers.filter(data.tables.offers.offer_id > 1))
    with pytest.raises(DataError, match="stage=val: no campaign was over when the one to judge by began"):
        Uplift().evaluate(Random(), replace(data, tables=short), "val")


def test_small_runs_give_the_golden_metrics_a_table_and_a_page(runs: Path) -> None:
    run_ids = [results[0].run_id for results in runs_match_golden("uplift", runs, *SIMULATED)]
    (compared,) = compare(f"sqlite:///{runs}/mlflow.db", run_ids, "test")
    assert set(compared.table.unit) == {"customers"}
    assert compared.table.index[0] == "TrueEffect"
    assert {"qini", "auuc", "uplift_at_10", "sure_things_at_10", "auuc_p"} <= {*compared.table}
    page = next(runs.glob("reports/*TrueEffect*.html")).read_text()
    for words in (
        "Sure things@10",
        "persuadables",
        "Customers gained",
        "vegaEmbed",
        "Whom to send it to",
        "Terms: made by this program",
    ):
        assert words in page
    of_run = next(runs.rglob(f"{run_ids[0]}/artifacts"))
    coupon_table = pd.read_parquet(of_run / "results" / "test" / "coupons.parquet")
    assert {"share", "coupons", "buy", "sure_things", "persuadables"} == {*coupon_table}
    assert not [*of_run.rglob("bundle.json")], "only a model that can be served is saved"


@pytest.mark.slow
def test_a_model_that_can_be_served_is_registered_and_predicts_uplift(runs: Path) -> None:
    uri, model = f"sqlite:///{runs}/mlflow.db", "model=uplift/lightgbm_t_learner"
    (result,) = run(compose(*SIMULATED, *tracked_in(runs), model, "evaluate=[test]"))
    assert 0.5 < result.value("treated/auc") <= 1
    assert result.resampled["treated/brier"].mean() == pytest.approx(result.value("treated/brier"), rel=0.05)
    assert register(uri, result.run_id, "coupons") == "1"
    service = load_registered(uri, "models:/coupons/1").service
    predictions = service.predict(service.example())
    assert predictions.probability.between(0, 1).all()
    assert predictions.uplift.between(-1, 1).all()
    assert "Qini" in MlflowClient(uri).get_model_version("coupons", "1").description
