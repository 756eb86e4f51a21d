"""What ``LifetimeModel`` asks of a model, held against every yaml of ``configs/model/lifetime``."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate

from omniretail.models.lifetime import BGNBD, BGNBDGammaGamma, GammaGamma, holdout_errors
from omniretail.models.lifetime.simulation import simulated
from omniretail.models.saving import load, save
from tests.conftest import ROOT, composed

NAMES = sorted(path.stem for path in (ROOT / "configs/model/lifetime").glob("*.yaml"))
SAME_FOR_EVERYBODY = {"mean_rate"}
HORIZON = 26.0

every_model = pytest.mark.parametrize("name", NAMES)


@cache
def world(n: int = 4000) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Customers who buy as the papers' models say, and what they do in the horizon, drawn from the models too."""
    rng = np.random.default_rng(5)
    buying, spending = BGNBD.of(r=0.5, alpha=4.0, a=0.8, b=2.5), GammaGamma.of(p=6.25, q=3.74, v=15.44)
    customers = simulated(buying, spending, age=rng.uniform(10, 50, n), rng=rng)
    alive = rng.random(n) < buying.p_alive(customers)
    rate = rng.gamma(0.5 + customers.frequency, 1 / (4.0 + customers.age))
    until_left = rng.geometric(rng.beta(0.8, 2.5 + customers.frequency))
    purchases = np.where(alive, np.minimum(rng.poisson(rate * HORIZON), until_left), 0)
    return customers, pd.DataFrame({"purchases": purchases, "value": purchases * spending.expected_value(customers)})


def customers() -> pd.DataFrame:
    return world()[0]


def made(name: str) -> Any:
    return instantiate(composed(f"model=lifetime/{name}").model)


@cache
def fitted(name: str) -> Any:
    return made(name).fit(customers())


def predicted(name: str) -> pd.DataFrame:
    return fitted(name).predict(customers(), HORIZON)


@every_model
def test_predictions_are_finite_and_not_negative_a_row_for_each_customer(name: str) -> None:
    frame = fitted(name).predict(customers().set_axis(range(9, 9 + len(customers()))), HORIZON)
    assert frame.index.tolist() == list(range(9, 9 + len(customers())))
    assert {"purchases", "value"} <= set(frame.columns) <= {"p_alive", "purchases", "value"}
    assert np.isfinite(frame.to_numpy()).all()
    assert (frame.to_numpy() >= 0).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name not in SAME_FOR_EVERYBODY])
def test_customers_who_will_buy_more_rank_above_the_others(name: str) -> None:
    for target in ("purchases", "value"):
        errors = holdout_errors(predicted(name)[target].to_numpy(), world()[1][target].to_numpy())
        assert errors["spearman"] > 0.25


def test_the_model_that_made_the_customers_predicts_them_best() -> None:
    for target in ("purchases", "value"):
        actual = world()[1][target].to_numpy()
        rmse = {name: holdout_errors(predicted(name)[target].to_numpy(), actual)["rmse"] for name in NAMES}
        assert min(rmse, key=rmse.__getitem__) == "bg_nbd"
    assert predicted("bg_nbd").purchases.sum() == pytest.approx(world()[1].purchases.sum(), rel=0.08)


@every_model
def test_a_prediction_depends_on_its_customer_alone(name: str) -> None:
    together = predicted(name)
    alone = pd.concat([fitted(name).predict(customers()[n : n + 1], HORIZON) for n in range(0, 200, 20)])
    pd.testing.assert_frame_equal(alone, together[:200:20], rtol=1e-9)
    order = np.random.default_rng(0).permutation(len(customers()))
    shuffled = fitted(name).predict(customers().iloc[order], HORIZON)
    pd.testing.assert_frame_equal(shuffled, together.iloc[order], rtol=1e-9)


@every_model
def test_fitted_twice_it_is_the_same(name: str) -> None:
    pd.testing.assert_frame_equal(made(name).fit(customers()).predict(customers(), HORIZON), predicted(name))


@every_model
def test_refitting_forgets(name: str) -> None:
    model = made(name).fit(customers().head(800).assign(mean_value=np.nan))
    model.predict(customers(), HORIZON)
    pd.testing.assert_frame_equal(model.fit(customers()).predict(customers(), HORIZON), predicted(name))


@every_model
def test_eight_threads_get_the_same_predictions(name: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: fitted(name).predict(customers(), HORIZON), range(16)))
    for frame in answers:
        pd.testing.assert_frame_equal(frame, predicted(name))


@every_model
def test_without_values_purchases_alone_are_predicted(name: str) -> None:
    unpriced = customers().assign(mean_value=np.nan)
    frame = made(name).fit(unpriced).predict(unpriced, HORIZON)
    assert "value" not in frame
    np.testing.assert_allclose(frame.purchases, predicted(name).purchases)


@every_model
def test_a_customer_who_arrived_at_the_cutoff(name: str) -> None:
    new = pd.DataFrame({"frequency": [0], "recency": [0.0], "age": [0.0], "mean_value": [np.nan]})
    frame = fitted(name).predict(new, HORIZON)
    assert np.isfinite(frame.to_numpy()).all()


@every_model
def test_a_longer_horizon_brings_no_fewer_purchases_and_none_brings_none(name: str) -> None:
    some = customers().head(200)
    none, short, long = (fitted(name).predict(some, horizon) for horizon in (0.0, 5.0, 50.0))
    assert (none.purchases.abs() < 1e-9).all()
    assert (short.purchases <= long.purchases).all()


@every_model
def test_no_customers_no_predictions(name: str) -> None:
    frame = fitted(name).predict(customers().head(0), HORIZON)
    assert len(frame) == 0
    assert list(frame.columns) == list(predicted(name).columns)


@every_model
def test_parameters_are_numbers_by_name(name: str) -> None:
    parameters = fitted(name).parameters_
    assert all(isinstance(value, float) for value in parameters.values())
    assert bool(parameters) == (name != "own_rate")


@every_model
def test_customers_are_left_as_they_are(name: str) -> None:
    copy = customers().copy()
    made(name).fit(copy).predict(copy, HORIZON)
    pd.testing.assert_frame_equal(copy, customers())


@every_model
def test_saved_and_loaded_gives_equal_predictions(name: str, tmp_path: Path) -> None:
    save(fitted(name), tmp_path)
    loaded = load(tmp_path)
    pd.testing.assert_frame_equal(loaded.predict(customers(), HORIZON), predicted(name))
    assert loaded.parameters_ == fitted(name).parameters_


@pytest.mark.parametrize("model", [BGNBD, GammaGamma, BGNBDGammaGamma])
def test_settings_out_of_range_are_refused(model: type) -> None:
    with pytest.raises(ValueError, match=f"{model.__name__}: penalty=-1 must be 0 or more"):
        model(penalty=-1)
