"""A tracking store's password is nowhere in what a run prints and writes; and why a model is not saved is."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
from mlflow import MlflowClient

from omniretail.config import compose
from omniretail.core.errors import MissingError
from omniretail.models.recommenders.popular import Popular
from omniretail.registry.register import register
from omniretail.run import run
from tests.commands import command
from tests.conftest import shop_events

SECRET = "s3cret-Word"
STORE = f"http://anna:{SECRET}@127.0.0.1:9"
NOBODY = "http://127.0.0.1:9"  # the discard port: nothing listens there
COLUMNS = ("user_id", "item_id", "timestamp", "basket_id")


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.delenv("OMNIRETAIL_HIDDEN_ADDRESSES", raising=False)  # of other tests in this process
    shop_events().to_csv("log.csv", index=False)


def settings() -> list[str]:
    columns = [f"source.columns.{name}={name}" for name in COLUMNS]
    return [
        "source=csv",
        "source.path=log.csv",
        *columns,
        "split.horizon_days=20",
        "cache_dir=cache",
        "evaluate=[test]",
    ]


@pytest.mark.parametrize(
    ("words", "variables"),
    [
        ([f"tracking.uri={STORE}"], {}),
        (["-m", f"tracking.uri={STORE}", "model=recommender/popular,recommender/ease"], {}),
        (["+own=store", "--config-dir", "own"], {}),
        pytest.param([], {"MLFLOW_TRACKING_URI": STORE}, marks=pytest.mark.slow),
        pytest.param([], {"MLFLOW_TRACKING_URI": NOBODY, "MLFLOW_TRACKING_PASSWORD": SECRET}, marks=pytest.mark.slow),
    ],
    ids=["argument", "sweep", "yaml", "environment", "password"],
)
def test_the_password_is_written_nowhere(
    words: list[str], variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml = Path("own/own/store.yaml")
    yaml.parent.mkdir(parents=True)
    yaml.write_text(f"# @package _global_\ntracking:\n  uri: {STORE}\n")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = command("train", *settings(), *words)
    assert done.returncode == 0, done.stderr
    assert "run_id=" in done.stdout
    assert "127.0.0.1:9 is down" in done.stdout + done.stderr, "the settings reached it"
    assert SECRET not in done.stdout + done.stderr
    yaml.unlink()
    written = [path for path in Path().rglob("*") if path.is_file()]
    assert any(path.parent.name == ".hydra" for path in written)
    assert [path for path in written if SECRET.encode() in path.read_bytes()] == []


def test_settings_are_shown_without_it() -> None:
    words = [f"tracking.uri={STORE}", "--cfg", "job", "--resolve"]
    shown = command("train", *settings(), *words)
    assert shown.returncode == 0, shown.stderr
    assert "http://***@127.0.0.1:9" in shown.stdout
    assert SECRET not in shown.stdout + shown.stderr


def test_a_run_from_a_program_hides_it_too() -> None:
    run_id = run(compose(*settings(), f"tracking.uri={STORE}"))[0].run_id
    assert MlflowClient("sqlite:///mlflow.db").get_run(run_id).info.status == "FINISHED"
    assert [path for path in Path().rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()] == []


def test_a_model_that_cannot_be_saved_says_so_before_it_is_fitted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    class Own(Popular):
        def fit(self, train):
            assert "so it cannot be registered: Own is not of omniretail.models" in caplog.text
            return super().fit(train)

    own = ModuleType("a_module_of_ones_own")
    own.Own = Own  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, own.__name__, own)
    store = f"sqlite:///{tmp_path}/mlflow.db"
    target = f"model._target_={own.__name__}.Own"
    run_id = run(compose(*settings(), target, f"tracking.uri={store}"))[0].run_id
    note = MlflowClient(store).get_run(run_id).data.tags["model_not_saved"]
    assert note.startswith("Own is not of omniretail.models")
    with pytest.raises(MissingError, match=f"run {run_id} saved no model: Own is not of omniretail.models"):
        register(store, run_id, "own")
