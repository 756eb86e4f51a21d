"""A run end to end: real groceries against golden figures, a user's own log, and what can go wrong."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail.config import compose
from omniretail.models.recommenders.popular import Popular
from omniretail.run import run
from omniretail.schema import DataError
from omniretail.sweep import compare
from omniretail.views.histories import Histories
from tests.conftest import shop_events

GOLDEN = json.loads((Path(__file__).parent / "golden" / "complete_journey.json").read_text())


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)


@pytest.mark.parametrize(
    "model", [pytest.param(each, marks=[pytest.mark.slow] * (each != "popular")) for each in GOLDEN]
)
def test_the_complete_journey_gives_the_golden_figures(model: str, journey_cache: Path) -> None:
    for result in run(compose(f"model=recommender/{model}", f"cache_dir={journey_cache}")):
        values = {**result.values(), **result.counts}
        for key, value in GOLDEN[model][result.stage].items():
            assert values[key] == pytest.approx(value, rel=2e-3, abs=1e-6), f"{result.stage}/{key}"


@pytest.fixture
def own_log() -> Path:
    path = Path("log.csv")
    shop_events().to_csv(path, index=False)
    return path


def of_csv(path: Path, *overrides: str) -> list[str]:
    names = ("user_id", "item_id", "timestamp", "basket_id")
    columns = [f"source.columns.{name}={name}" for name in names]
    return ["source=csv", f"source.path={path}", *columns, "split.horizon_days=20", "cache_dir=cache", *overrides]


def test_a_log_of_ones_own_from_file_to_table(own_log: Path, store: str) -> None:
    run_ids = [run(compose(*of_csv(own_log, f"model=recommender/{m}")))[0].run_id for m in ("popular", "personal_top")]
    (compared,) = compare(store, run_ids, "test", metrics=["recall_at_10"])
    assert set(compared.table.index) == {"Popular", "PersonalTop"}
    metrics = MlflowClient(store).get_run(run_ids[0]).data.metrics
    assert {"test/ndcg_at_10", "val/recall_at_20", "test/fit_s", "test/peak_memory_mb"} <= metrics.keys()


def test_runs_of_two_protocols_get_two_tables(own_log: Path, store: str) -> None:
    splits = ["split=temporal", "split=leave_last"]
    overrides = [[o for o in of_csv(own_log, s) if "horizon" not in o] for s in splits]
    run_ids = [run(compose(*each, "evaluate=[test]", "model=recommender/popular"))[0].run_id for each in overrides]
    assert len(compare(store, run_ids, "test")) == 2


def test_encoders_are_compared_by_their_own_task(own_log: Path, store: str) -> None:
    small = ["evaluate=[test]", "task.probes.n_seeds=2", "task.n_folds=2"]
    run_ids = [run(compose(*of_csv(own_log, f"model=profile/{m}", *small)))[0].run_id for m in ("random", "table")]
    (compared,) = compare(store, run_ids, "test")
    assert set(compared.table.index) == {"Random", "ProfileTable"}
    assert "churn/auc" in compared.table, "the log has no amounts, the shop no attributes"
    assert "ProfileTable" in compared.markdown()
    compared.write_html(Path("page.html"))
    assert "churn AUC" in Path("page.html").read_text()
    metrics = MlflowClient(store).get_run(run_ids[1]).data.metrics
    assert {"test/churn/auc", "test/churn/auc_linear", "test/probe_s"} <= metrics.keys()


def test_runs_of_other_task_settings_get_tables_of_their_own(own_log: Path, store: str) -> None:
    small = ["evaluate=[test]", "task.probes.n_seeds=1", "model=profile/random"]
    folds = (run(compose(*of_csv(own_log, *small, f"task.n_folds={n}")))[0].run_id for n in (2, 3))
    assert len(compare(store, list(folds), "test")) == 2


def test_runs_of_other_hyper_parameters_are_no_seeds_of_one_model(own_log: Path, store: str) -> None:
    runs = ["model.l2=10", "model.l2=500", "seed=2"]
    run_ids = [run(compose(*of_csv(own_log, "model=recommender/ease", "evaluate=[test]", r)))[0].run_id for r in runs]
    (compared,) = compare(store, run_ids, "test")
    assert sorted(compared.table.index) == ["EASE l2=10", "EASE l2=200.0", "EASE l2=500"]


def test_a_model_of_another_group_is_refused_in_a_sentence(own_log: Path) -> None:
    assert "Popular has no embed(): this task evaluates models of configs/model/profile" in failing(
        *of_csv(own_log, "task=propensity", "model=recommender/popular")
    )


@pytest.mark.parametrize("words", ["val", "[valid]", "[]", "[val,tset]"])
def test_test_is_never_evaluated_by_a_slip(own_log: Path, words: str) -> None:
    assert "choose evaluate=[val], [test] or [val,test]" in failing(*of_csv(own_log, f"evaluate={words}"))


def test_profiles_need_windows_of_time(own_log: Path) -> None:
    overrides = [o for o in of_csv(own_log, "split=leave_last", "model=profile/random") if "horizon" not in o]
    assert "choose split=temporal" in failing(*overrides)


def test_one_user_only(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d")
    log = pd.DataFrame({"user_id": "me", "item_id": np.arange(60) % 30, "timestamp": days, "basket_id": range(60)})
    log.to_csv("one.csv", index=False)
    results = run(compose(*of_csv(Path("one.csv"), "model=recommender/personal_top")))
    assert [len(result.per_unit) for result in results] == [1, 1]


def failing(*overrides: str) -> str:
    """The one sentence of a run that should fail."""
    with pytest.raises((DataError, PermissionError, ValueError)) as caught:
        run(compose(*overrides))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_mistake_in_the_data_leaves_no_run(store: str) -> None:
    before = n_runs(store)
    failing(*of_csv(Path("nowhere.csv")))
    assert n_runs(store) == before


def test_an_error_after_the_data_is_there_is_recorded(own_log: Path, store: str) -> None:
    sentence = failing(*of_csv(own_log, "metrics.ks=[10,500]"))
    client = MlflowClient(store)
    everywhere = [experiment.experiment_id for experiment in client.search_experiments()]
    newest = client.search_runs(everywhere, order_by=["attributes.start_time DESC"])[0]
    assert newest.info.status == "FAILED"
    assert sentence[:100] in newest.data.tags["error"]


def n_runs(store: str) -> int:
    client = MlflowClient(store)
    return len(client.search_runs([experiment.experiment_id for experiment in client.search_experiments()]))


def test_no_test_events(own_log: Path) -> None:
    assert "no events in the val window" in failing(*of_csv(own_log, "split.end=2030-01-01"))


def test_k_beyond_the_catalogue(own_log: Path) -> None:
    assert "more than the catalogue's" in failing(*of_csv(own_log, "metrics.ks=[10,500]"))


def test_a_missing_file() -> None:
    assert "nowhere.csv is not there" in failing(*of_csv(Path("nowhere.csv")))


def test_an_unwritable_cache(own_log: Path) -> None:
    Path("cache").write_text("in the way")
    assert "set cache_dir=" in failing(*of_csv(own_log))


def test_a_model_that_goes_astray(own_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def astray(model: Popular, users: Histories) -> np.ndarray:
        return np.full((len(users), users.n_items), np.nan, dtype=np.float32)

    monkeypatch.setattr(Popular, "score", astray)
    assert "Popular gave scores that are not finite" in failing(*of_csv(own_log, "model=recommender/popular"))
