"""Whatever a saved model holds, it is read or refused; no content of a file ends the process or runs for ever."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from omniretail.policies.seen import hide_seen
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.serving.bundle import write_recommender
from omniretail.serving.profile_bundle import ProfileBundle, write_profile
from omniretail.serving.response import write_response
from tests.contracts import test_profiles, test_recommenders, test_responses, test_uplift

RECOMMENDERS = ("ials", "item_knn", "sasrec", "lightgcn", "profile_knn", "tifu_knn")


def write_bundles(folder: Path) -> None:
    """A saved model of every kind of file: arrays, sparse matrices, networks, tables, LightGBM's text, skops."""
    for name in RECOMMENDERS:
        write_recommender(folder / name, test_recommenders.fitted(name), hide_seen, test_recommenders.SHOP)
    for name in ("table", "coles"):
        parts = test_profiles.shop(), [], test_profiles.fitted("table"), LearnedTags((), {}, {})
        write_profile(folder / f"profile_{name}", ProfileBundle(test_profiles.fitted(name), *parts))
    for name in ("lightgbm", "logistic"):
        write_response(folder / f"response_{name}", test_responses.fitted(name), test_responses.rows()[0])
    rows = test_uplift.trial()[0].reset_index(drop=True)
    for name in ("lightgbm_t_learner", "t_learner"):
        write_response(folder / f"uplift_{name}", test_uplift.fitted(name), rows, ["uplift"])


@pytest.mark.timeout(600)
@pytest.mark.parametrize("n_changes", [16, pytest.param(300, marks=pytest.mark.slow)])
def test_no_change_of_a_file_ends_the_process(n_changes: int, tmp_path: Path) -> None:
    write_bundles(tmp_path / "bundles")
    command = [sys.executable, "-m", "tests.serving.fuzzing", str(tmp_path / "bundles"), str(n_changes)]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=one_thread)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout.splitlines()[-1]) == []
