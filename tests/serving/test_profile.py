"""Profiles as they are served: embedding, tags and probabilities of a customer, known or not."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.bundles import save_profile
from omniretail.dataset import Dataset
from omniretail.models.profiles.svd import CountSVD
from omniretail.profile.probing.evaluate import Probing
from omniretail.profile.probing.probes import Probes
from omniretail.serving.profile import ProfileService
from omniretail.serving.pyfunc import load_service
from omniretail.serving.validation import RequestError
from omniretail.tasks import Evaluation
from tests.profile.probing.factories import LEVELS, SPLIT, shop
from tests.serving.factories import rows

RULES = {
    "regular": {"label": "Regular", "definition": "Often.", "feature": "visits", "above": {"quantile": 0.5}},
    "away": {"label": "Away", "definition": "Not here for long.", "feature": "recency_days", "above": 30},
}
DAY = 86400
ENCODER = CountSVD(dim=4)


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    task = Probing(Probes(n_seeds=1), levels=LEVELS, min_buyers=10, tags=RULES)
    return task.evaluate(ENCODER, Dataset(shop(), SPLIT, tmp_path_factory.mktemp("cache")), "test")


@pytest.fixture(scope="module")
def served(evaluation: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> ProfileService:
    folder = tmp_path_factory.mktemp("bundle") / "model"
    save_profile(folder, **(evaluation.bundle or {}))
    service = load_service(folder, "shop/1")
    assert isinstance(service, ProfileService)
    return service


def test_a_known_customers_vector_is_the_evaluated_one(served: ProfileService) -> None:
    train = served.bundle.train
    answers = served.predict(pd.DataFrame({"user_id": train.users.ids}))
    expected = ENCODER.embed(train.histories, train.at)
    np.testing.assert_array_equal(np.float32(answers.embedding.tolist()), expected)
    assert set(answers.model_version) == {"shop/1"}


def test_probabilities_are_calibrated_and_rank_what_happened(served: ProfileService, evaluation: Evaluation) -> None:
    answers = served.predict(pd.DataFrame({"user_id": served.bundle.train.users.ids})).probabilities
    churn = np.array([each["churn"]["stays away"] for each in answers])
    predictions = evaluation.tables["predictions"]
    labels = predictions[predictions.question == "churn"].set_index("user_id").truth
    happened = labels.loc[served.bundle.train.users.ids].to_numpy()
    assert churn[happened == 1].mean() > churn[happened == 0].mean()
    assert churn.mean() == pytest.approx(happened.mean(), abs=0.1)
    assert {"churn", "department_propensity", "category_propensity"} == set(answers[0])
    assert all(0 < p < 1 for each in answers for classes in each.values() for p in classes.values())


def test_tags_follow_from_the_history(served: ProfileService) -> None:
    at = served.bundle.train.at
    often = [{"item_id": item % 40, "timestamp": at - DAY * item} for item in range(40)]
    long_ago = [{"item_id": 1, "timestamp": at - DAY * 90}]
    answers = served.predict(rows({"history": often}, {"history": long_ago}))
    assert answers.tags.tolist() == [["regular"], ["away"]]


def test_a_profile_can_be_of_a_later_time(served: ProfileService) -> None:
    at = served.bundle.train.at
    history = [{"item_id": 1, "timestamp": at + DAY}]
    now, later = served.predict(rows({"history": history}, {"history": history, "at": at + 60 * DAY})).tags
    assert (now, later) == ([], ["away"])
    with pytest.raises(RequestError, match="at: 0 lies before an event of the customer's history"):
        served.predict(rows({"history": history, "at": 0}))
    with pytest.raises(RequestError, match="at: a time is ISO 8601 or seconds since 1970, not 'soon'"):
        served.predict(rows({"history": history, "at": "soon"}))


def test_times_may_be_floats_as_in_a_json_batch_with_gaps(served: ProfileService) -> None:
    at = float(served.bundle.train.at + 60 * DAY)
    history = [{"item_id": 1, "timestamp": at - 60 * DAY}]
    frame = pd.DataFrame({"history": [history, history], "at": [at, np.nan]})
    assert frame["at"].dtype == float
    assert served.predict(frame).tags.tolist() == [["away"], []]
    iso = str(pd.Timestamp(int(at), unit="s"))
    assert served.predict(rows({"history": history, "at": iso})).tags.tolist() == [["away"]]
    with pytest.raises(RequestError, match="at: a time is ISO 8601 or seconds since 1970, not inf"):
        served.predict(rows({"history": history, "at": float("inf")}))


def test_a_customer_without_a_history_has_a_profile_that_says_so(served: ProfileService) -> None:
    answers = served.predict(rows({"user_id": 10_000}, {"history": [999]}))
    assert answers.fallback.tolist() == ["nothing is known of this customer"] * 2
    assert answers.unknown_items.tolist() == [0, 1]
    assert np.isfinite(np.array(answers.embedding.tolist())).all()


def test_a_row_is_answered_alike_alone_and_among_others(served: ProfileService) -> None:
    example = served.example()
    together = served.predict(example)
    for row in range(len(example)):
        alone = served.predict(example.iloc[[row]])
        np.testing.assert_allclose(alone.embedding.iloc[0], together.embedding[row], rtol=1e-5, atol=1e-6)
        assert alone.tags.iloc[0] == together.tags[row]


def test_eight_threads_get_the_answers_of_one(served: ProfileService) -> None:
    requests = [pd.DataFrame({"user_id": [user]}) for user in served.bundle.train.users.ids[:12]]
    alone = [served.predict(each).to_dict("records") for each in requests]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda each: served.predict(each).to_dict("records"), requests)) == alone


def test_an_unknown_field_is_named(served: ProfileService) -> None:
    with pytest.raises(RequestError, match="customer: there is no such field"):
        served.predict(rows({"customer": 1}))


def test_the_saved_model_is_plain_files(tmp_path: Path, evaluation: Evaluation) -> None:
    save_profile(tmp_path / "model", **(evaluation.bundle or {}))
    suffixes = {path.suffix for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert suffixes == {".json", ".npz", ".parquet", ".txt"}
