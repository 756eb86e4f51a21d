"""Runs in a real MLflow store (SQLite), and what happens when the server is not there."""

import http.server
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from omniretail import tracking
from omniretail.result import Result, metric_rows
from omniretail.schema import Tables
from omniretail.tasks import Evaluation

NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def a_result(stage: str = "test") -> Result:
    per_user = pd.DataFrame({"ndcg_at_10": [0.5, np.nan, 0.1], "n_history": [3, 0, 9]}, index=["a", "b", "茶"])
    per_user.index.name = "user_id"
    metrics = metric_rows({"ndcg_at_10": 0.3, "coverage_at_10": 0.2}, low={"ndcg_at_10": 0.1}, high={"ndcg_at_10": 0.5})
    resampled = pd.DataFrame({"coverage_at_10": [0.1, 0.3]})
    return Result(
        model="EASE",
        stage=stage,
        per_unit=per_user,
        metrics=pd.concat([metrics, metric_rows({"auc": 0.7}, "churn")], ignore_index=True),
        resampled=resampled,
        protocol={"split": "x"},
        parameters="l2=3",
        counts={"users_judged": 3},
        cost={"fit_s": 1.5, "score_s": 0.5, "peak_memory_mb": 100.0},
        seed=7,
    )


def one_run(tables: Tables, uri: str = tracking.LOCAL) -> tracking.TrackedRun:
    table = pd.DataFrame({"user_id": ["a"], "score": [0.5]})
    evaluations = [Evaluation(a_result("val")), Evaluation(a_result("test"), tables={"predictions": table})]
    with tracking.tracked(uri, "shop", "EASE", {"model.l2": "3"}) as recorded, tempfile.TemporaryDirectory() as files:
        tracking.record_evaluations(recorded, evaluations, "model: {l2: 3}", tables, Path(files))
    return recorded


def test_a_run_carries_all_that_is_needed_to_find_it_again(shop: Tables) -> None:
    recorded = one_run(shop)
    run = MlflowClient(tracking.LOCAL).get_run(recorded.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"model.l2": "3"}
    assert run.data.metrics["test/ndcg_at_10"] == pytest.approx(0.3)
    assert run.data.metrics["val/coverage_at_10"] == 0.2
    assert run.data.metrics["test/ndcg_at_10_high"] == 0.5
    assert run.data.metrics["test/churn/auc"] == 0.7
    assert "test/churn/auc_low" not in run.data.metrics, "there is no interval"
    assert run.data.metrics["test/users_judged"] == 3
    assert run.data.metrics["test/fit_s"] == 1.5
    assert run.data.tags["version/numpy"] == np.__version__
    assert len(run.data.tags["mlflow.source.git.commit"]) == 40
    assert run.inputs.dataset_inputs[0].dataset.name == "test shop"
    files = {file.path for file in MlflowClient(tracking.LOCAL).list_artifacts(recorded.run_id)}
    assert files == {"config.yaml", "data.json", "results"}


def test_results_come_back_as_they_were(shop: Tables) -> None:
    recorded = one_run(shop)
    back = tracking.load_result(tracking.LOCAL, recorded.run_id, "test")
    expected = a_result()
    for name in ("per_unit", "metrics", "resampled"):
        pd.testing.assert_frame_equal(getattr(back, name), getattr(expected, name))
    assert back.run_id == recorded.run_id
    for name in ("model", "stage", "task", "protocol", "parameters", "counts", "cost", "seed"):
        assert getattr(back, name) == getattr(expected, name)
    folder = tracking_folder(recorded, "results/test")
    assert pd.read_parquet(folder / "predictions.parquet").score.tolist() == [0.5]
    assert tracking.load_config(tracking.LOCAL, recorded.run_id).model.l2 == 3
    assert tracking.load_data_summary(tracking.LOCAL, recorded.run_id).card == shop.card


def tracking_folder(run: tracking.TrackedRun, path: str) -> Path:
    return Path(download_artifacts(run_id=run.run_id, artifact_path=path, tracking_uri=tracking.LOCAL))


def test_a_run_of_the_first_version_says_what_to_do(shop: Tables) -> None:
    recorded = one_run(shop)
    artifacts = MlflowClient(tracking.LOCAL).get_run(recorded.run_id).info.artifact_uri
    (Path(str(artifacts).removeprefix("file://")) / "results/test/metrics.parquet").unlink()
    with pytest.raises(LookupError, match=r"was recorded by a version before 0\.2; run its command again"):
        tracking.load_result(tracking.LOCAL, recorded.run_id, "test")


def test_a_run_that_fails_is_marked_with_its_error() -> None:
    with pytest.raises(ValueError, match="no such luck"), tracking.tracked(tracking.LOCAL, "shop", "x", {}) as recorded:
        raise ValueError("no such luck")
    client = MlflowClient(tracking.LOCAL)
    run = client.get_run(recorded.run_id)
    assert run.info.status == "FAILED"
    assert run.data.tags["error"] == "ValueError: no such luck"
    assert [file.path for file in client.list_artifacts(recorded.run_id)] == ["error.txt"]


def test_an_interrupted_run_is_marked_killed() -> None:
    with pytest.raises(KeyboardInterrupt), tracking.tracked(tracking.LOCAL, "shop", "x", {}) as recorded:
        raise KeyboardInterrupt
    assert MlflowClient(tracking.LOCAL).get_run(recorded.run_id).info.status == "KILLED"


def test_runs_of_a_sweep_are_its_children(shop: Tables) -> None:
    with tracking.tracked(tracking.LOCAL, "shop", "sweep", {}) as parent, tracking.sweep(parent):
        children = [one_run(shop).run_id, one_run(shop).run_id]
    stranger = one_run(shop)
    assert tracking.children(tracking.LOCAL, parent.run_id) == children
    assert tracking.children(tracking.LOCAL, stranger.run_id) == [stranger.run_id]


def test_a_server_that_is_down_costs_nothing_but_a_warning(shop: Tables, caplog: pytest.LogCaptureFixture) -> None:
    recorded = one_run(shop, uri=NOBODY)
    assert recorded.uri == tracking.LOCAL
    assert tracking.load_result(tracking.LOCAL, recorded.run_id, "test").model == "EASE"
    assert f"python scripts/push.py run_id={recorded.run_id} to={NOBODY}" in caplog.text


@pytest.fixture
def dying_server() -> Iterator[str]:
    """Answers the opening of a run, then breaks down."""
    answers = {
        "experiments/get-by-name": b'{"experiment": {"experiment_id": "1", "name": "shop"}}',
        "runs/create": b'{"run": {"info": {"run_id": "0", "experiment_id": "1", "status": "RUNNING"}, "data": {}}}',
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        opened = False

        def do_GET(self) -> None:
            self.answer()

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.answer()

        def answer(self) -> None:
            body = next((body for path, body in answers.items() if path in self.path), None)
            opening = "log-batch" in self.path and not Handler.opened
            Handler.opened |= opening
            self.send_response(200 if body or opening else 500)
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_server_that_dies_during_the_run_loses_nothing(shop: Tables, dying_server: str) -> None:
    recorded = one_run(shop, uri=dying_server)
    assert recorded.uri == tracking.LOCAL
    run = MlflowClient(tracking.LOCAL).get_run(recorded.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"model.l2": "3"}


def test_push_copies_a_run_whole(shop: Tables, tmp_path: Path) -> None:
    recorded = one_run(shop)
    there = f"sqlite:///{tmp_path}/server.db"
    copy = tracking.push(recorded.run_id, tracking.LOCAL, there)
    run, original = MlflowClient(there).get_run(copy), MlflowClient(tracking.LOCAL).get_run(recorded.run_id)
    assert (run.data.metrics, run.data.params) == (original.data.metrics, original.data.params)
    assert run.inputs.dataset_inputs[0].dataset.digest == original.inputs.dataset_inputs[0].dataset.digest
    pd.testing.assert_frame_equal(tracking.load_result(there, copy, "val").per_unit, a_result().per_unit)


def test_errors_say_what_to_do(shop: Tables) -> None:
    recorded = one_run(shop)
    with pytest.raises(LookupError, match="no run nonsense"):
        tracking.children(tracking.LOCAL, "nonsense")
    with pytest.raises(LookupError, match="no run nonsense"):
        tracking.push("nonsense", tracking.LOCAL, NOBODY)
    with pytest.raises(ConnectionError, match="cannot be reached"):
        tracking.push(recorded.run_id, tracking.LOCAL, NOBODY)
    with pytest.raises(LookupError, match="no results for stage=train"):
        tracking.load_result(tracking.LOCAL, recorded.run_id, "train")
