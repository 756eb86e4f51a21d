"""A study holds trials of one question: another is refused with the way out."""

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from omniretail.core.errors import SettingsError
from omniretail.search.space import Dimension
from omniretail.search.storage import open_storage
from omniretail.search.study import best_of, direction, enqueue, identity_of, open_study

L2 = Dimension("model.l2", 1.0, 100.0, log=True)
WEIGHTING = Dimension("model.weighting", choices=("binary", "log"))
PROTOCOL = {"data": "1f2e", "split": "Temporal(28)", "stage": "val"}
SETTINGS = {"model.l2": "200.0", "model.weighting": "binary", "model.source_weight": "1.0"}


def identity(**changed: str) -> dict[str, str]:
    settings = SETTINGS | {name: value for name, value in changed.items() if name.startswith("model.")}
    protocol = PROTOCOL | {name: value for name, value in changed.items() if name in PROTOCOL}
    return identity_of(protocol, settings, [L2, WEIGHTING], ["ndcg_at_10"])


@pytest.fixture
def storage(tmp_path: Path) -> optuna.storages.RDBStorage:
    return open_storage(f"sqlite:///{tmp_path}/search.db")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"data": "9a9a"}, "with data: 1f2e, and now it is 9a9a"),
        ({"split": "LeaveLast()"}, r"with split: Temporal\(28\)"),
        ({"model.source_weight": "0.5"}, "with model.source_weight: 1.0"),
    ],
)
def test_another_question_is_refused(storage: optuna.storages.RDBStorage, changed: dict[str, str], words: str) -> None:
    open_study(storage, "mine", ["ndcg_at_10"], identity())
    with pytest.raises(SettingsError, match=words) as refused:
        open_study(storage, "mine", ["ndcg_at_10"], identity(**changed))
    assert "search.study=mine-2" in str(refused.value)
    assert "search.restart=true" in str(refused.value)
    forgotten = open_study(storage, "mine", ["ndcg_at_10"], identity(**changed), restart=True)
    assert forgotten.get_trials() == []


def test_the_same_question_goes_on(storage: optuna.storages.RDBStorage) -> None:
    open_study(storage, "mine", ["ndcg_at_10"], identity()).add_trial(optuna.create_trial(value=0.5))
    searched = {"model.l2": "3.0"}  # what is searched may have another default
    assert len(open_study(storage, "mine", ["ndcg_at_10"], identity(**searched)).trials) == 1


def test_other_choices_are_another_question(storage: optuna.storages.RDBStorage) -> None:
    open_study(storage, "mine", ["ndcg_at_10"], identity())
    wider = Dimension("model.weighting", choices=("binary", "log", "count"))
    now = identity_of(PROTOCOL, SETTINGS, [L2, wider], ["ndcg_at_10"])
    with pytest.raises(SettingsError, match=r"search\.space\.model\.weighting: binary, log, and now"):
        open_study(storage, "mine", ["ndcg_at_10"], now)


def test_known_settings_come_first_and_once(caplog: pytest.LogCaptureFixture) -> None:
    study = optuna.create_study()
    default, tuned = ({"model": {"l2": l2, "weighting": "binary"}} for l2 in (20, 7.5))
    enqueue(study, [L2, WEIGHTING], [default, tuned, tuned, {"model": {"l2": 1000.0, "weighting": "log"}}])
    queued = [trial.system_attrs["fixed_params"]["model.l2"] for trial in study.trials]
    assert queued == [20.0, 7.5]
    assert "not tried, since it lies outside the space: l2=1000" in caplog.text


def test_the_best_of_several_objectives_is_the_best_in_the_first() -> None:
    study = optuna.create_study(directions=["maximize", "minimize"])
    for values in ([0.3, 5.0], [0.4, 9.0], [0.4, 8.0]):
        study.add_trial(optuna.create_trial(values=values))
    assert best_of(study).number == 2
    assert best_of(study, 1).values == [0.3, 5.0]
    with pytest.raises(SettingsError, match=r"search\.trial=7 has not finished; the best are 1, 3"):
        best_of(study, 7)


def test_nothing_finished_is_one_sentence() -> None:
    study = optuna.create_study()
    with pytest.raises(SettingsError, match=r"none of 0 trials has finished in the time; .* search.timeout=3600"):
        best_of(study)
    study.add_trial(optuna.create_trial(state=TrialState.FAIL, user_attrs={"error": "l2 must be positive"}))
    with pytest.raises(SettingsError, match="none of 1 trials has finished; the last failed: l2 must be positive"):
        best_of(study)


@pytest.mark.parametrize(
    ("metric", "better"), [("ndcg_at_10", "maximize"), ("fit_s", "minimize"), ("churn/brier", "minimize")]
)
def test_directions(metric: str, better: str) -> None:
    assert direction(metric) == better
