"""The command line: errors are one sentence, a killed search of several processes goes on, winners are registered."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from omniretail.core.errors import SettingsError
from omniretail.search.settings import settings_of
from tests.commands import command
from tests.conftest import ROOT
from tests.search.conftest import STORAGE, composed_search, searched

SHOP = ["source=csv", "source.path=log.csv", f"search.storage={STORAGE}", "search.n_trials=12", "search.seeds=0"]


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["search.sampler=grid"], r"search\.sampler='grid' must be one of tpe, random"),
        (["search.n_trials=0"], "n_trials=0 must be 1 or more"),
        (["search.pruning.shares=[0.5,0.2]"], "shares=.* must ascend between 0 and 1"),
        (["search.pruning.by=luck"], r"search\.pruning\.by='luck' must be one of"),
        (["search.register=mine", "search.seeds=0"], "register='mine' must be null where seeds=0"),
        (["~search.space"], "the model has no space"),
    ],
)
def test_settings_out_of_range(overrides: list[str], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        settings_of(composed_search("model=recommender/ease", *overrides))


@pytest.mark.usefixtures("own_folder")
def test_errors_are_one_sentence() -> None:
    done = command("search", *SHOP, "model=recommender/ease", "search.space.model.l3={low:1,high:2}")
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert lines[-1].startswith("error: search.space.model.l3: there is no setting model.l3; did you mean model.l2?")
    assert "Error executing job" not in done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("own_folder")
def test_a_search_in_two_processes_that_is_killed_goes_on() -> None:
    words = [
        sys.executable,
        str(ROOT / "scripts" / "search.py"),
        *SHOP,
        "model=recommender/tifu_knn",
        "search.n_jobs=2",
    ]
    running = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_for(3)
    running.send_signal(signal.SIGKILL)
    running.wait()
    time.sleep(3)  # its processes end with it
    before = _trials()
    assert len(before) < 12
    again = subprocess.run(words, check=False, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    done = [trial for trial in _trials() if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    lost = [trial for trial in _trials() if trial.state == TrialState.FAIL]
    assert len(done) == 12
    assert {trial.number for trial in lost} <= {each.number for each in before if each.state == TrialState.RUNNING}


@pytest.mark.slow
@pytest.mark.usefixtures("own_folder")
def test_the_winner_is_registered(capsys: pytest.CaptureFixture[str]) -> None:
    searched("search.n_trials=1", "search.seeds=1", "search.register=shop-recommender").run()
    assert re.search(r"registered as shop-recommender, version 1; .* action=promote", capsys.readouterr().out)


def _trials() -> list[optuna.trial.FrozenTrial]:
    if not Path("search.db").exists() or not os.path.getsize("search.db"):
        return []
    names = optuna.get_all_study_names(STORAGE)
    return optuna.load_study(study_name=names[0], storage=STORAGE).trials if names else []


def _wait_for(n_finished: int) -> None:
    for _ in range(240):
        time.sleep(0.5)
        try:
            if sum(trial.state == TrialState.COMPLETE for trial in _trials()) >= n_finished:
                return
        except RuntimeError:  # the database is being made
            continue
    pytest.fail("no trial has finished in two minutes")
