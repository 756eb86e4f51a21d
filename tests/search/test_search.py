"""A search end to end on a log of one's own: trials, winner, settings, page, MLflow; and what can go wrong."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from mlflow import MlflowClient
from omegaconf import OmegaConf
from optuna.trial import TrialState

from omniretail.core.errors import SettingsError
from omniretail.search import evaluate
from omniretail.search.evaluate import RUN_ID
from tests.search.conftest import STORAGE, searched

pytestmark = pytest.mark.usefixtures("own_folder")


def study(number: int = 0) -> optuna.Study:
    return optuna.load_study(study_name=optuna.get_all_study_names(STORAGE)[number], storage=STORAGE)


def test_a_search_from_trials_to_the_registry(capsys: pytest.CaptureFixture[str], store: str) -> None:
    best = searched("search.seeds=2", "search.tuned_dir=tuned").run()
    trials, client = study().trials, MlflowClient(store)
    assert trials[0].params == {"model.l2": 200.0, "model.weighting": "binary"}
    assert best == max(trial.value for trial in trials if trial.value)

    printed = capsys.readouterr().out
    parent = client.get_run(printed.strip().rpartition("run_id=")[2])
    assert parent.data.metrics["val/ndcg_at_10"] == best
    assert "test/ndcg_at_10" in parent.data.metrics
    children = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    names = {str(run.info.run_name) for run in children}
    assert len(children) == 5  # four trials, and one fit for test, for nothing in EASE is random
    assert "EASE default" in names
    assert any(name.startswith("EASE l2=") for name in names)

    text = Path("tuned/csv/recommender/ease.yaml").read_text()
    assert "# @package _global_\n# Validation ndcg_at_10" in text
    winner = max((trial for trial in trials if trial.value), key=lambda trial: trial.value)
    assert OmegaConf.create(text).model == {name.removeprefix("model."): v for name, v in winner.params.items()}
    page = next(Path("reports").glob("*search*.html")).read_text()
    assert "Search: EASE" in page
    assert "csv_search_EASE_tpe.html" in Path("reports/index.html").read_text()
    assert "Which settings matter" in page or len(trials) < 4


def test_it_goes_on_and_looks_at_test_once(store: str) -> None:
    searched("search.n_trials=2", "search.seeds=1", "search.trial=1").run()
    before = MlflowClient(store).search_runs(["0", "1", "2"], "", max_results=1000)
    searched("search.n_trials=3", "search.seeds=1", "search.trial=1").run()
    after = MlflowClient(store).search_runs(["0", "1", "2"], "", max_results=1000)
    assert len(study().trials) == 3
    assert len(after) - len(before) == 2  # the parent and a trial; the winner's fit is read back
    parents = {run.data.tags.get("mlflow.parentRunId") for run in after if "search.n_trials" not in run.data.params}
    runs = {trial.user_attrs[RUN_ID] for trial in study().trials}
    assert len({run.data.tags["mlflow.parentRunId"] for run in after if run.info.run_id in runs}) == 1, parents


def test_test_is_not_looked_at_without_seeds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("omniretail.search.winner.run_with_page", lambda _: pytest.fail("test was looked at"))
    searched("search.n_trials=1").run()
    searched("search.n_trials=2").run()


def test_a_front_of_two_objectives(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    searched("search.objective=[ndcg_at_10,fit_s]").run()
    assert [each.name for each in study().directions] == ["MAXIMIZE", "MINIMIZE"]
    assert all(trial.state == TrialState.COMPLETE for trial in study().trials)
    assert "trials are not pruned, since there are several objectives" in caplog.text
    assert "No other trial is better in one objective and as good in the others." in capsys.readouterr().out


def test_a_trial_that_fails_is_marked_and_the_search_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with_params = evaluate.with_params

    def broken(cfg: Any, params: Mapping[str, Any], others: Any = None) -> Any:
        changed = dict(params)
        if changed["model.l2"] != 200.0:
            changed["model.l2"] = -1.0
        return with_params(cfg, changed, others)

    monkeypatch.setattr(evaluate, "with_params", broken)
    searched("search.n_trials=3").run()
    states = [trial.state for trial in study().trials]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.FAIL]
    assert "l2=-1.0 must be above 0" in study().trials[1].user_attrs["error"]


def test_an_objective_that_is_not_measured_ends_the_search() -> None:
    with pytest.raises(SettingsError, match=r"search\.objective=auc is not measured .* ndcg_at_10"):
        searched("search.objective=auc").run()
    assert len(study().trials) == 1


def test_another_data_version_is_refused() -> None:
    searched("search.n_trials=1", "search.study=mine").run()
    log = Path("log.csv")
    log.write_text("\n".join(log.read_text().splitlines()[:-40]) + "\n")
    with pytest.raises(SettingsError, match=r"the study mine has trials with data: .* search\.study=mine-2"):
        searched("search.n_trials=1", "search.study=mine").run()


def test_nothing_in_the_time_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match="none of 0 trials has finished in the time"):
        searched("search.timeout=0.0001").run()


@pytest.mark.slow
def test_the_best_number_of_epochs_is_kept() -> None:
    found = searched(
        *("trainer.max_epochs=3", "search.n_trials=1", "search.tuned_dir=tuned"),
        *("search.space.model.batch_events.choices=[256]", "model.batch_events=256", "model.n_negatives=512"),
        model="recommender/gru4rec",
    )
    found.run()
    trials = study().trials
    assert trials[0].params["model.batch_events"] == 256
    assert 1 <= trials[0].user_attrs["epochs"] <= 3
    tuned = OmegaConf.load("tuned/csv/recommender/gru4rec.yaml")
    best = max((trial for trial in trials if trial.state == TrialState.COMPLETE), key=lambda trial: trial.value)
    assert tuned.trainer.max_epochs == best.user_attrs["epochs"]
