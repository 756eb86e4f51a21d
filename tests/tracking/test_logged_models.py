"""What MLflow shows of a run: its name, its parameters, its description, its model, and the machine it ran on."""

import re
import threading
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.config import compose
from omniretail.run import run
from omniretail.tracking.logged_models import download_model, model_id_of
from tests.conftest import shop_events
from tests.test_run import of_csv


@pytest.fixture(scope="module")
def client(store: str) -> MlflowClient:
    return MlflowClient(store, store)


@pytest.fixture(scope="module")
def run_id(store: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("run"))
        patch.setenv("MLFLOW_TRACKING_URI", store)
        patch.setattr("omniretail.tracking.machine._EVERY_S", 0.01)
        shop_events().to_csv("log.csv", index=False)
        return run(compose(*of_csv(Path("log.csv"), "model=recommender/ease", "model.l2=7")))[0].run_id


def test_runs_of_one_dataset_and_task_are_in_one_experiment(client: MlflowClient, run_id: str) -> None:
    experiment = client.get_experiment(client.get_run(run_id).info.experiment_id)
    assert experiment.name == "csv/recommendation"


def test_the_name_is_that_of_the_pages_and_no_other_run_has_it(client: MlflowClient, run_id: str) -> None:
    assert re.fullmatch(r"EASE · [0-9a-f]{4}", str(client.get_run(run_id).info.run_name))


def test_only_parameters_of_model_data_and_split_are_listed(client: MlflowClient, run_id: str) -> None:
    params = client.get_run(run_id).data.params
    assert params.items() >= {"model": "EASE", "l2": "7", "task": "recommendation", "split.horizon_days": "20"}.items()
    assert len(params) < 10


def test_the_description_begins_with_the_primary_metric_and_names_data_and_page(
    client: MlflowClient, run_id: str
) -> None:
    run = client.get_run(run_id)
    text = run.data.tags["mlflow.note.content"]
    assert text.startswith(f"**NDCG@10 {run.data.metrics['test/ndcg_at_10']:.4f}** · EASE, test, ")
    assert "recommendation on own log" in text
    (page,) = re.findall(r"Page: (\S+) under Artifacts", text)
    assert page in [each.path for each in client.list_artifacts(run_id, "report")]


def test_the_model_is_tied_to_its_run_metrics_and_dataset(
    client: MlflowClient, store: str, run_id: str, tmp_path: Path
) -> None:
    run = client.get_run(run_id)
    model = client.get_logged_model(model_id_of(run))
    assert (model.name, model.source_run_id, model.status, model.params["l2"]) == ("EASE", run_id, "READY", "7")
    values = {each.key: (each.value, each.dataset_name) for each in model.metrics or []}
    assert values["test/ndcg_at_10"] == (run.data.metrics["test/ndcg_at_10"], "own log")
    assert not [key for key in values if key.startswith("val/")]
    path = download_model(client, store, run, tmp_path / "model")
    assert path is not None
    assert (path / "manifest.json").is_file()


def test_a_pushed_run_takes_its_model_along(
    client: MlflowClient, store: str, run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = f"sqlite:///{tmp_path}/other.db"
    copy = MlflowClient(target).get_run(tracking.push(run_id, store, target))
    model, original = (
        each.get_logged_model(model_id_of(each.get_run(id_)))
        for each, id_ in ((MlflowClient(target), copy.info.run_id), (client, run_id))
    )
    assert (model.name, model.params) == (original.name, original.params)
    assert download_model(MlflowClient(target), target, copy, tmp_path / "model") is not None


def test_the_machine_is_recorded_and_no_thread_is_left(client: MlflowClient, run_id: str) -> None:
    assert client.get_run(run_id).data.metrics["system/system_memory_usage_megabytes"] > 0
    assert not [each.name for each in threading.enumerate() if "SystemMetrics" in each.name]


def results_of(*values: tuple[str, str, int, float]) -> list:
    from tests.tracking.test_runs import a_result

    def one(model: str, parameters: str, seed: int, value: float):
        from dataclasses import replace

        metrics = pd.DataFrame(
            {"metric": ["auc"], "group": [""], "value": [value], "low": [float("nan")], "high": [float("nan")]}
        )
        return replace(a_result(), model=model, parameters=parameters, seed=seed, metrics=metrics, counts={}, cost={})

    return [one(*each) for each in values]


def test_mean_and_deviation_over_seeds() -> None:
    one_model = results_of(("A", "x=1", 1, 0.1), ("A", "x=1", 2, 0.3))
    assert tracking.seed_metrics(one_model) == pytest.approx({"test/auc": 0.2, "test/auc_sd": 0.1414213562})
    others = results_of(("B", "x=1", 1, 0.5), ("B", "x=1", 2, 0.5), ("C", "", 1, 0.9), ("A", "x=2", 1, 0.7))
    metrics = tracking.seed_metrics(one_model + others)
    assert metrics == pytest.approx(
        {"A_x_1/test/auc": 0.2, "A_x_1/test/auc_sd": 0.1414213562, "B/test/auc": 0.5, "B/test/auc_sd": 0}
    )


def test_a_metric_is_recorded_once(client: MlflowClient, run_id: str) -> None:
    for key in ("test/ndcg_at_10", "val/ndcg_at_10"):
        assert len(client.get_metric_history(run_id, key)) == 1
