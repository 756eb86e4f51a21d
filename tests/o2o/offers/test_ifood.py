from dataclasses import replace
from typing import Self

import numpy as np
import pandas as pd
import pytest

from omniretail.models.responses.lightgbm import LightGBM
from omniretail.models.responses.logistic import Logistic
from omniretail.o2o.offers.ifood import ResponseRows, cross_fitted, examine, response_rows
from omniretail.schema import DataError
from omniretail.sources.ifood import IFood
from omniretail.sources.protocol import load
from tests.conftest import shop_events, tables_of


class Memory:
    """Knows the outcome of a customer it has seen, and nothing else."""

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        self.known_ = dict(zip(rows["number"], y, strict=True))
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        return np.array([self.known_.get(number, 0.5) for number in rows["number"]])


def asked(n: int, per_set: int = 1) -> ResponseRows:
    """Each set of like rows has one number, by which a model could recognise it."""
    number = np.arange(n) // per_set
    return ResponseRows(np.arange(n), pd.DataFrame({"number": number}), (number % 3 == 0).astype(float), number)


def users() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 400
    accepted = rng.integers(0, 2, (n, 5))
    response = (accepted.sum(axis=1) + rng.normal(0, 1, n) > 3).astype(int)
    known = pd.DataFrame(accepted, columns=[f"accepted_{campaign}" for campaign in range(1, 6)])
    known = known.assign(user_id=np.arange(n)[::-1], same=np.arange(n)[::-1], response=response, recency_days=-response)
    known = known.assign(joined=pd.Timestamp("2013-01-01"), birth_year=1970.0, education="PhD", marital_status="Single")
    return known.assign(income=1.0, kids=0.0, teens=1.0, tenure_days=9.0)


def test_rows_hold_what_was_known_before_and_the_rest_on_demand():
    tables = tables_of(shop_events(), users=users())
    before, all_of_it = response_rows(tables), response_rows(tables, undated=True)
    assert before.user_id.tolist() == sorted(before.user_id)
    assert list(before.rows)[:4] == ["birth_year", "education", "marital_status", "income"]
    assert {*all_of_it.rows} - {*before.rows} == {"recency_days"}
    assert not {"response", "user_id", "same", "joined"} & {*all_of_it.rows}
    np.testing.assert_array_equal(before.y, users().sort_values("user_id").response)


def test_nobody_is_answered_for_by_a_model_that_saw_them_or_their_like():
    assert set(cross_fitted(Memory, asked(60, per_set=2))) == {0.5}
    torn = asked(60, per_set=2)
    assert set(cross_fitted(Memory, replace(torn, same=torn.user_id))) != {0.5}


def test_the_same_seed_deals_alike():
    task = response_rows(tables_of(shop_events(), users=users()))
    np.testing.assert_array_equal(cross_fitted(Logistic, task, seed=3), cross_fitted(Logistic, task, seed=3))
    assert (cross_fitted(Logistic, task, seed=3) != cross_fitted(Logistic, task, seed=4)).any()


@pytest.mark.parametrize("model", [Logistic, LightGBM])
def test_models_find_who_accepts(model):
    figures = examine(model, response_rows(tables_of(shop_events(), users=users()))).set_index("figure")
    assert figures.value["auc"] > 0.75
    assert figures.low["auc"] < figures.value["auc"] < figures.high["auc"]


def test_another_source_is_refused():
    with pytest.raises(DataError, match="test shop knows no campaign responses; choose source=ifood"):
        response_rows(tables_of(shop_events()))


@pytest.mark.data
def test_the_public_file(data_root, tmp_path):
    if not (data_root / "ifood_marketing").is_dir():
        pytest.skip(f"{data_root / 'ifood_marketing'} is not there: run scripts/fetch.py ifood_marketing")
    tables = load(IFood(data_root / "ifood_marketing"), tmp_path)
    before, all_of_it = (examine(Logistic, response_rows(tables, undated)) for undated in (False, True))
    assert before.set_index("figure").value["auc"] == pytest.approx(0.798, abs=0.02)
    assert all_of_it.set_index("figure").value["auc"] == pytest.approx(0.857, abs=0.02)
