from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.recommenders.popular import Popular
from omniretail.models.responses.lightgbm import LightGBM
from omniretail.models.responses.logistic import Logistic
from omniretail.o2o.offers.cross_fitting import CrossFittedResponse, cross_fitted
from omniretail.o2o.offers.ifood import ResponseRows, response_rows
from omniretail.schema import Tables
from omniretail.sources.ifood import IFood
from omniretail.sources.protocol import load
from tests.conftest import shop_events, tables_of


class Memory:
    """Predicts the outcome of a customer it was fitted on, and one half for any other."""

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        self.outcomes_ = dict(zip(rows["number"], y, strict=True))
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        return np.array([self.outcomes_.get(number, 0.5) for number in rows["number"]])


def numbered(n: int, per_set: int = 1) -> ResponseRows:
    """Each set of equal rows has one number, by which a model could recognise it."""
    number = np.arange(n) // per_set
    return ResponseRows(np.arange(n), pd.DataFrame({"number": number}), (number % 3 == 0).astype(float), number)


def users() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 400
    accepted = rng.integers(0, 2, (n, 5))
    response = (accepted.sum(axis=1) + rng.normal(0, 1, n) > 3).astype(int)
    frame = pd.DataFrame(accepted, columns=[f"accepted_{campaign}" for campaign in range(1, 6)])
    frame = frame.assign(user_id=np.arange(n)[::-1], same=np.arange(n)[::-1], response=response, recency_days=-response)
    frame = frame.assign(joined=pd.Timestamp("2013-01-01"), birth_year=1970.0, education="PhD", marital_status="Single")
    return frame.assign(income=1.0, kids=0.0, teens=1.0, tenure_days=9.0)


@pytest.fixture(scope="module")
def tables() -> Tables:
    return tables_of(shop_events(), users=users())


def test_rows_hold_what_lies_before_and_the_rest_on_demand(tables):
    before, all_of_it = response_rows(tables), response_rows(tables, undated=True)
    assert before.user_id.tolist() == sorted(before.user_id)
    assert list(before.rows)[:4] == ["birth_year", "education", "marital_status", "income"]
    assert {*all_of_it.rows} - {*before.rows} == {"recency_days"}
    assert not {"response", "user_id", "same", "joined"} & {*all_of_it.rows}
    np.testing.assert_array_equal(before.y, users().sort_values("user_id").response)


def test_nobody_is_scored_by_a_model_that_was_fitted_on_them_or_an_equal_row():
    assert cross_fitted(Memory(), numbered(60, per_set=2), 5, 5, 1).tolist() == pytest.approx([0.5] * 60)
    divided = numbered(60, per_set=2)
    scores = cross_fitted(Memory(), replace(divided, same=divided.user_id), 5, 5, 1)
    assert (np.abs(scores - 0.5) > 0.1).any()


def test_folds_have_the_same_response_rate():
    """Else a fold's own rate shows in the predictions of the others."""
    rows = numbered(300)
    mean_of_others = cross_fitted(MeanOf(), rows, 5, 1, 1)
    assert np.ptp(mean_of_others) < 0.005


class MeanOf:
    """Predicts the response rate that it was fitted on."""

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        self.mean_ = y.mean()
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full(len(rows), self.mean_)


def test_the_same_seed_gives_the_same_folds(tables):
    rows = response_rows(tables)
    np.testing.assert_array_equal(cross_fitted(Logistic(), rows, 5, 2, 3), cross_fitted(Logistic(), rows, 5, 2, 3))
    assert (cross_fitted(Logistic(), rows, 5, 2, 3) != cross_fitted(Logistic(), rows, 5, 2, 5)).any()


@pytest.mark.parametrize("model", [Logistic(), LightGBM()])
def test_models_find_who_accepts(model, tables):
    evaluation = CrossFittedResponse(n_repeats=2).evaluate(model, Dataset(tables), "test")
    auc = evaluation.result.metrics.set_index("metric").loc["auc"]
    assert auc.value > 0.75
    assert auc.low < auc.value < auc.high
    assert len(evaluation.result.per_unit) == evaluation.result.counts["judged"] == 400
    assert evaluation.model.predict_proba(response_rows(tables).rows).shape == (400,), "fitted on all of them"


def test_other_sources_and_models_are_refused(tables):
    with pytest.raises(DataError, match="test shop has no campaign responses per customer; choose source=ifood"):
        CrossFittedResponse().evaluate(Logistic(), Dataset(tables_of(shop_events())), "test")
    with pytest.raises(DataError, match=r"Popular has no predict_proba\(\)"):
        CrossFittedResponse().evaluate(Popular(), Dataset(tables), "test")


@pytest.mark.data
def test_the_public_file(data_root, tmp_path):
    if not (data_root / "ifood_marketing").is_dir():
        pytest.skip(f"{data_root / 'ifood_marketing'} is not there: run scripts/fetch.py ifood")
    data = Dataset(load(IFood(data_root / "ifood_marketing"), tmp_path))
    before, all_of_it = (
        CrossFittedResponse(undated).evaluate(Logistic(), data, "test").result for undated in (False, True)
    )
    assert before.value("auc") == pytest.approx(0.7986, abs=0.005)
    assert all_of_it.value("auc") == pytest.approx(0.8584, abs=0.005)
    assert before.protocol == all_of_it.protocol
