"""The command line: Hydra's habits, mistakes as sentences, faults with their traceback, sweeps and their failures."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.models.recommenders.popular import Popular
from tests.commands import Done, command
from tests.conftest import ROOT, shop_events
from tests.test_run import of_csv


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, store: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    shop_events().to_csv("log.csv", index=False)
    return Path("log.csv")


def n_runs(store: str) -> int:
    client = MlflowClient(store)
    return len(client.search_runs([experiment.experiment_id for experiment in client.search_experiments()]))


def last_line(done: Done) -> str:
    return done.stderr.strip().splitlines()[-1]


def test_a_command_ends_with_the_run_id(own_log: Path, store: str) -> None:
    words = [sys.executable, ROOT / "scripts" / "train.py", *of_csv(own_log, "model=recommender/popular")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert MlflowClient(store).get_run(last.removeprefix("run_id=")).info.status == "FINISHED"


def test_the_installed_commands_are_those_of_the_scripts() -> None:
    done = subprocess.run([sys.executable, "-m", "omniretail"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    scripts = sorted(path.stem for path in (ROOT / "scripts").glob("*.py"))
    assert ", ".join(scripts) in done.stderr


def test_what_a_user_can_mend_is_a_sentence() -> None:
    done = command("train", *of_csv(Path("nowhere.csv")))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert last_line(done).startswith("error: nowhere.csv is not there")


@pytest.mark.parametrize(("fault", "mode"), [(ValueError, []), (KeyError, []), (ValueError, ["-m"])])
def test_a_fault_of_the_code_shows_its_traceback(
    own_log: Path, fault: type[Exception], mode: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(model: Popular, train: object) -> None:
        raise fault("operands could not be broadcast")

    monkeypatch.setattr(Popular, "fit", faulty)
    done = command("train", *mode, *of_csv(own_log, "model=recommender/popular", "evaluate=[test]"))
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "in faulty" in done.stderr


def test_a_missing_package_names_the_command_that_installs_it(own_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without_torch(model: Popular, train: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(Popular, "fit", without_torch)
    done = command("train", *of_csv(own_log, "model=recommender/popular"))
    assert last_line(done) == "error: torch is not installed: pip install 'omniretail[neural]'"


MISTAKES = {
    "model=ease": "there is no model=ease; did you mean model=recommender/ease?",
    "model=recommender/eas": "did you mean model=recommender/ease",
    "model.lambda=3": "there is no setting model.lambda; there are count",
    "model.cout=users": "there is no setting model.cout; did you mean model.count?",
    "task=recomendation": "did you mean task=recommendation",
    "trainer.max_epoch=3": "did you mean trainer.max_epochs?",
    "source=complete_jurney": "did you mean source=complete_journey?",
    "model.count=user": "Popular: count='user' must be one of users, events",
    "model=recommender/ease model.l2=abc": "EASE: l2='abc' must be a number",
    "split.horizon_days=abc": "error: Temporal: horizon_days='abc' must be a number",
    "split.horizon_days=2.5": "error: Temporal: horizon_days=2.5 must be a whole number",
    "memory_mb=abc": "error: Recommendation: memory_mb='abc' must be a number",
    "model=recommender/ials seed=abc": "error: IALS: seed='abc' must be a number",
    "model=uplift/t_learner source=simulate task.shares=[2]": "error: Uplift: shares=[2] must be shares above 0",
    "model=recommender/sasrec model.heads=3": "error: SASRec: heads=3 must divide dim=64",
    "model=recommender/sasrec trainer.max_epochs=abc": "error: Training: max_epochs='abc' must be a number",
    "+model.cuont=users": "error: Popular: there is no setting 'cuont'",
    "model._target_=shop.Model": "error: Error locating target 'shop.Model'",
    "metrics.ks=[5] metrics.primary=ndcg_at_5": "recall_at_10 is not measured with metrics.ks=[5]; choose among",
    "metrics.ks=[0,10]": "metrics.ks=[0, 10]: choose whole numbers from 1",
    "report.metrics=[recal_at_10]": "recal_at_10 is not measured",
    "report.html=log.csv/page.html": "report.html=log.csv/page.html: log.csv cannot be made",
    "evaluate=val": "choose evaluate=[val], [test] or [val,test]",
    "evaluate=[valid]": "choose evaluate=[val], [test] or [val,test]",
    "-m hydra/launcher=joblb": "there is no hydra/launcher=joblb: pip install hydra-joblb-launcher",
    "-m hydra.launcher=joblib": "must be written with a slash: hydra/launcher=joblib",
    "-m model=recommender/ease,recommender/eas": "did you mean model=recommender/ease",
    "-m model=recommender/ease model.l2=1,abc": "EASE: l2='abc' must be a number",
    "-m evaluate=[valid],[test]": "choose evaluate=[val], [test] or [val,test]",
    "-m report.metrics=[recal_at_10]": "recal_at_10 is not measured",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_the_settings_is_one_sentence_before_any_run(mistake: str, store: str) -> None:
    before = n_runs(store)
    done = command("train", *mistake.split())
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "full_key" not in done.stderr
    assert MISTAKES[mistake] in last_line(done)
    assert n_runs(store) == before


@pytest.mark.parametrize("flag", ["--help", "--info=config", "--cfg=job"])
@pytest.mark.parametrize("name", ["train", "audit", "export", "push", "score", "server"])
def test_hydras_habits_work(name: str, flag: str) -> None:
    done = command(name, flag)
    assert done.returncode == 0, done.stderr
    own = {"train": "recommender/popular", "audit": "audit", "export": "action", "push": "run_id", "score": "rows"}
    assert own.get(name, "action") in done.stdout.replace("Popular", "recommender/popular")


def test_settings_of_a_folder_of_ones_own() -> None:
    Path("own/model/mine").mkdir(parents=True)
    Path("own/model/mine/best.yaml").write_text("_target_: omniretail.models.recommenders.popular.Popular\n")
    done = command("train", "--config-dir", "own", "model=mine/best", "--cfg", "job", "--package", "model")
    assert "Popular" in done.stdout, done.stderr
    assert completions("train", "--config-dir own model=mi") == ["model=mine/best"]


def completions(name: str, words: str) -> list[str]:
    line = f"python scripts/{name}.py {words}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMP_LINE", line)
        patch.setenv("COMP_POINT", str(len(line)))
        return command(name, "-sc", "query=bash").stdout.split()


@pytest.mark.parametrize(
    ("name", "words", "matches"),
    [
        ("train", "model=recommender/eas", ["model=recommender/ease"]),
        ("train", "model=recommender/ease,recommender/item", ["model=recommender/ease,recommender/item_knn"]),
        ("train", "source=simu", ["source=simulate"]),
        ("train", "model=recommender/ease model.l", ["model.l2="]),
        ("audit", "model=profile/tab", ["model=profile/table"]),
        ("export", "acti", ["action="]),
    ],
)
def test_the_shell_completes(name: str, words: str, matches: list[str]) -> None:
    assert completions(name, words) == matches


def test_the_shell_completes_every_model() -> None:
    options = (path.relative_to(ROOT / "configs" / "model") for path in (ROOT / "configs" / "model").rglob("*.yaml"))
    assert completions("train", "model=") == sorted(f"model={path.with_suffix('').as_posix()}" for path in options)
    assert "hydra_bash_completion" in command("train", "-sc", "install=bash").stdout


def test_a_sweep_ends_with_a_table(own_log: Path, store: str) -> None:
    models = "model=recommender/popular,recommender/personal_top,recommender/ease"
    done = command("train", models, "-m", *of_csv(own_log))
    assert done.returncode == 0, done.stderr
    *_, pages, runs, last = done.stdout.strip().splitlines()
    assert "PersonalTop" in done.stdout
    assert "webbrowser reports/" in pages
    assert f"omniretail ui {last.removeprefix('run_id=')} --uri={store}" in runs
    assert len(tracking.children(store, last.removeprefix("run_id="))) == 3


def test_a_sweep_goes_on_when_one_run_fails(own_log: Path) -> None:
    done = command("train", "-m", *of_csv(own_log), "model=recommender/popular", "metrics.ks=[10],[10,500]")
    assert done.returncode == 1
    assert "Popular" in done.stdout
    assert "failed: Popular (metrics.ks=[10,500]): k=500 is more than the catalogue's" in done.stderr
    assert "more than the catalogue's" in done.stderr


def test_a_sweep_in_which_every_job_fails_lists_them_and_fails(own_log: Path, store: str) -> None:
    models = "model=recommender/popular,recommender/ease"
    done = command("train", "-m", *of_csv(own_log), models, "split.end=2001-01-01")
    assert done.returncode == 1
    *_, popular, ease, report = done.stderr.strip().splitlines()
    assert popular.startswith("failed: Popular (model=recommender/popular): split=temporal: no events before")
    assert ease.startswith("failed: EASE (model=recommender/ease): split=temporal: no events before")
    assert report == "failed: the report: no job has finished, so there is nothing to compare"
    sweep_id = done.stdout.strip().splitlines()[-1].removeprefix("run_id=")
    assert MlflowClient(store).get_run(sweep_id).info.status == "FAILED"


def test_a_sweep_whose_report_fails_says_so_and_fails(own_log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*arguments: object, **settings: object) -> None:
        raise np.exceptions.AxisError("out of bounds")

    monkeypatch.setattr("omniretail.sweep.compare", failing)
    done = command("train", "-m", *of_csv(own_log), "model=recommender/popular", "evaluate=[test]")
    assert done.returncode == 1
    assert "failed: the report: Traceback" in done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("run_id=")


@pytest.mark.slow
def test_propensity_of_two_encoders_in_one_sweep() -> None:
    small = ["source=simulate", "source.n_customers=150", "source.n_weeks=20", "task.probes.n_seeds=1"]
    done = command("train", "-m", "task=propensity", "model=profile/table,profile/svd", *small, "evaluate=[test]")
    assert done.returncode == 0, done.stderr
    assert {"ProfileTable", "CountSVD"} <= set(done.stdout.split())
