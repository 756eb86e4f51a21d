"""Every model, saved and loaded in a process of its own without the packages of training: bit-identical answers.

One process serves a whole family, since starting one takes seconds.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.top_k import recommend
from omniretail.policies.seen import hide_seen
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.registry.smoke_test import as_json
from omniretail.serving.bundle import write_recommender
from omniretail.serving.profile_bundle import ProfileBundle, write_profile
from omniretail.serving.pyfunc import load_service
from omniretail.serving.response import write_response
from tests.contracts import test_profiles, test_recommenders, test_responses, test_uplift

SERVE = """
import json, sys
from pathlib import Path
from omniretail.serving.selfcheck import refuse
refuse()
import pandas as pd
from omniretail.serving.pyfunc import load_service
root = Path(sys.argv[1])
requests = pd.DataFrame(json.loads((root / "requests.json").read_text()), dtype=object)
for bundle in sorted(path for path in root.iterdir() if path.is_dir()):
    answers = load_service(bundle).predict(requests)
    (root / f"{bundle.name}.json").write_text(json.dumps(answers.to_dict(orient="records")))
"""


def answers_of_a_fresh_process(root: Path, requests: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Of each bundle in the folder."""
    (root / "requests.json").write_text(json.dumps(requests.replace({np.nan: None}).to_dict(orient="records")))
    done = subprocess.run([sys.executable, "-c", SERVE, str(root)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return {path.stem: json.loads(path.read_text()) for path in root.glob("*.json") if path.stem != "requests"}


def test_every_recommender_gives_the_lists_that_were_evaluated(tmp_path: Path) -> None:
    train = test_recommenders.SHOP
    expected = {}
    for name in test_recommenders.NAMES:
        model = test_recommenders.fitted(name)
        write_recommender(tmp_path / name, model, hide_seen, train)
        ranked, scores = recommend(model, train.histories, k=5, policy=hide_seen)
        expected[name] = [row[row >= 0].tolist() for row in ranked], [row[row > -np.inf] for row in scores]
    requests = pd.DataFrame({"user_id": train.users.ids, "k": 5})
    answers = answers_of_a_fresh_process(tmp_path, requests)
    assert set(answers) == set(test_recommenders.NAMES)
    for name, (items, scores) in expected.items():
        assert [each["item_ids"] for each in answers[name]] == items, name
        for answer, score in zip(answers[name], scores, strict=True):
            np.testing.assert_array_equal(np.float32(answer["scores"]), score, err_msg=name)


def test_every_encoder_gives_the_vectors_that_were_evaluated(tmp_path: Path) -> None:
    train, expected = test_profiles.shop(), {}
    table, no_tags = test_profiles.fitted("table"), LearnedTags((), {}, {})
    for name in test_profiles.NAMES:
        encoder = test_profiles.fitted(name)
        write_profile(tmp_path / name, ProfileBundle(encoder, train, [], table, no_tags))
        expected[name] = encoder.embed(train.histories, train.at)
    answers = answers_of_a_fresh_process(tmp_path, pd.DataFrame({"user_id": train.users.ids}))
    for name, vectors in expected.items():
        served = np.float32([each["embedding"] for each in answers[name]])
        np.testing.assert_array_equal(served, vectors, err_msg=name)


def test_every_response_model_gives_the_probabilities_that_were_evaluated(tmp_path: Path) -> None:
    rows = test_responses.rows()[0][test_responses.N_TRAIN :].reset_index(drop=True)
    expected = {}
    for name in set(test_responses.NAMES) - {"recbole"}:
        model = test_responses.fitted(name)
        write_response(tmp_path / name, model, rows)
        expected[name] = as_json(load_service(tmp_path / name).predict(rows))
        served = [each["probability"] for each in expected[name]]
        np.testing.assert_array_equal(served, model.predict_proba(rows), err_msg=name)
    assert answers_of_a_fresh_process(tmp_path, rows) == expected


def test_every_uplift_learner_that_learns_gives_the_effects_that_were_evaluated(tmp_path: Path) -> None:
    rows, expected = test_uplift.trial()[0].reset_index(drop=True).head(100), {}
    for name in set(test_uplift.NAMES) - test_uplift.NOT_SAVED:
        model, answers = (
            test_uplift.fitted(name),
            ["uplift", *(["probability"] if name == "lightgbm_t_learner" else [])],
        )
        write_response(tmp_path / name, model, rows, answers)
        expected[name] = as_json(load_service(tmp_path / name).predict(rows))
        assert [each["uplift"] for each in expected[name]] == model.predict(rows).tolist(), name
        assert (expected[name][0]["probability"] is not None) == ("probability" in answers)
    assert answers_of_a_fresh_process(tmp_path, rows) == expected
