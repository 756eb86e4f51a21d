"""Response models as they are served: rows of features in, probabilities out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.models.responses.lightgbm import LightGBM
from omniretail.models.responses.logistic import Logistic
from omniretail.serving.pyfunc import Service, load_service
from omniretail.serving.response import write_response
from omniretail.serving.validation import RequestError

RNG = np.random.default_rng(0)
ROWS = pd.DataFrame({"visits": RNG.poisson(5, 200).astype(float), "kind": RNG.choice(["paper", "app"], 200)})
Y = (RNG.random(200) < 1 / (1 + np.exp(3 - ROWS.visits / 2))).astype(float)


@pytest.fixture(params=[Logistic, LightGBM])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Service, np.ndarray]:
    model = request.param().fit(ROWS, Y)
    write_response(tmp_path / "saved", model, ROWS)
    return load_service(tmp_path / "saved", "offers/2"), model.predict_proba(ROWS)


def test_probabilities_are_those_of_the_model(served: tuple[Service, np.ndarray]) -> None:
    service, expected = served
    answers = service.predict(ROWS)
    np.testing.assert_array_equal(answers.probability, expected)
    assert answers.uplift.tolist() == [None] * 200
    assert set(answers.model_version) == {"offers/2"}


def test_an_unknown_value_is_null_and_not_left_out(served: tuple[Service, np.ndarray]) -> None:
    service, _ = served
    answers = service.predict(pd.DataFrame([{"visits": None, "kind": None}], dtype=object))
    assert 0 < answers.probability[0] < 1
    with pytest.raises(RequestError, match="kind: is missing; give null where its value is not known"):
        service.predict(pd.DataFrame([{"visits": 3}]))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"visits": "many", "kind": "app"}, "visits: a number is expected, not 'many'"),
        ({"visits": 1, "kind": ["app"]}, r"kind: text or a number is expected, not \['app'\]"),
        ({"visits": 1, "kind": "app", "visit": 2}, "visit: there is no such field; did you mean visits"),
    ],
)
def test_a_wrong_row_names_its_column(served: tuple[Service, np.ndarray], row: dict, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        served[0].predict(pd.DataFrame([row], dtype=object))


def test_the_example_is_a_few_training_rows(served: tuple[Service, np.ndarray]) -> None:
    service, expected = served
    np.testing.assert_allclose(service.predict(service.example()).probability, expected[:3])
