"""Profiles as they are served: vector, tags and probabilities of a customer, known or not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.bundles import keep_profile
from omniretail.models.profiles.svd import CountSVD
from omniretail.profile.probing.evaluate import Examined, Probes
from omniretail.profile.windows import aligned
from omniretail.serving.profile import ProfileService
from omniretail.serving.pyfunc import load_service
from omniretail.serving.validation import RequestError
from tests.profile.probing.factories import LEVELS, QUICK, SPLIT, shop
from tests.serving.factories import rows

RULES = {
    "regular": {"label": "Regular", "definition": "Often.", "feature": "visits", "above": {"quantile": 0.5}},
    "away": {"label": "Away", "definition": "Not here for long.", "feature": "recency_days", "above": 30},
}
PROBES = Probes(protocol=QUICK, levels=LEVELS, at_least_buyers=10)


@pytest.fixture(scope="module")
def examined(tmp_path_factory: pytest.TempPathFactory) -> Examined:
    return PROBES.take(ENCODER, shop(), SPLIT, "test", tmp_path_factory.mktemp("cache"))


ENCODER = CountSVD(dim=4)


@pytest.fixture(scope="module")
def served(examined: Examined, tmp_path_factory: pytest.TempPathFactory) -> ProfileService:
    folder = tmp_path_factory.mktemp("bundle") / "model"
    keep_profile(folder, ENCODER, examined, QUICK, RULES)
    service = load_service(folder, "shop/1")
    assert isinstance(service, ProfileService)
    return service


def test_a_known_customers_vector_is_the_judged_one(served: ProfileService, examined: Examined) -> None:
    looks = examined.looks
    expected = ENCODER.embed(aligned(looks.now, looks.before), looks.now.at)
    said = served.predict(pd.DataFrame({"user_id": looks.now.users.ids}))
    np.testing.assert_array_equal(np.float32(said.embedding.tolist()), expected)
    assert set(said.model_version) == {"shop/1"}


def test_probabilities_are_calibrated_and_rank_what_happened(served: ProfileService, examined: Examined) -> None:
    said = served.predict(pd.DataFrame({"user_id": examined.looks.now.users.ids})).probabilities
    churn = np.array([each["churn"]["stays away"] for each in said])
    happened = next(each.truth[:, 0] for each in examined.answers if each.target.name == "churn")
    assert churn[happened == 1].mean() > churn[happened == 0].mean()
    assert churn.mean() == pytest.approx(happened.mean(), abs=0.1)
    assert {"churn", "department_propensity", "category_propensity"} == set(said[0])
    assert all(0 < p < 1 for each in said for classes in each.values() for p in classes.values())


def test_tags_are_told_from_what_the_customer_did(served: ProfileService) -> None:
    at = served.parts.train.at
    often = [{"item_id": item % 40, "timestamp": at - 86400 * item} for item in range(40)]
    long_ago = [{"item_id": 1, "timestamp": at - 86400 * 90}]
    said = served.predict(rows({"history": often}, {"history": long_ago}))
    assert said.tags.tolist() == [["regular"], ["away"]]


def test_a_customer_can_be_looked_at_later(served: ProfileService) -> None:
    at = served.parts.train.at
    history = [{"item_id": 1, "timestamp": at + 86400}]
    now, later = served.predict(rows({"history": history}, {"history": history, "at": at + 60 * 86400})).tags
    assert (now, later) == ([], ["away"])
    with pytest.raises(RequestError, match="at: 0 lies before an event of the customer's history"):
        served.predict(rows({"history": history, "at": 0}))
    with pytest.raises(RequestError, match="at: a moment is ISO 8601 or seconds since 1970, not 'soon'"):
        served.predict(rows({"history": history, "at": "soon"}))


def test_of_whom_nothing_is_known_has_a_profile_that_says_so(served: ProfileService) -> None:
    said = served.predict(rows({"user_id": 10_000}, {"history": [999]}))
    assert said.fallback.tolist() == ["nothing is known of this customer"] * 2
    assert said.unknown_items.tolist() == [0, 1]
    assert np.isfinite(np.array(said.embedding.tolist())).all()


def test_a_row_is_answered_alike_alone_and_among_others(served: ProfileService) -> None:
    example = served.example()
    together = served.predict(example)
    for row in range(len(example)):
        alone = served.predict(example.iloc[[row]])
        np.testing.assert_allclose(alone.embedding.iloc[0], together.embedding[row], rtol=1e-5, atol=1e-6)
        assert alone.tags.iloc[0] == together.tags[row]


def test_an_unknown_field_is_named(served: ProfileService) -> None:
    with pytest.raises(RequestError, match="customer: there is no such field"):
        served.predict(rows({"customer": 1}))


def test_the_kept_model_is_plain_files(served: ProfileService, tmp_path: Path, examined: Examined) -> None:
    keep_profile(tmp_path / "model", ENCODER, examined, QUICK, RULES)
    kinds = {path.suffix for path in (tmp_path / "model").rglob("*") if path.is_file()}
    assert kinds == {".json", ".npz", ".parquet", ".txt"}
