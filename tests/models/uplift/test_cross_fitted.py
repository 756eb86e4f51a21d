"""The doubly robust learners: cross-fitting, known and estimated propensities, and effects that are recovered."""

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression

from omniretail.models.uplift.cross_fitting import cross_fitted_outcomes, fold_of_rows, propensities
from omniretail.models.uplift.dr_learner import DRLearner
from omniretail.models.uplift.outcome_models import linear_regressor
from omniretail.models.uplift.r_learner import RLearner
from tests.models.uplift.factories import trial

BOTH = pytest.mark.parametrize("learner", [DRLearner, RLearner])


@BOTH
@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("effect", [LinearRegression(), linear_regressor(10.0)])
def test_effects_are_recovered(learner, share, effect):
    x, treated, y, truth = trial(share=share)
    predicted = learner(LogisticRegression(), effect).fit(x, treated, y).predict(x)
    assert np.abs(predicted - truth).mean() < 0.03
    assert np.corrcoef(predicted, truth)[0, 1] > 0.95


@BOTH
def test_treatment_that_depends_on_features_is_estimated(learner):
    x, _, _, truth = trial()
    rng = np.random.default_rng(3)
    treated = rng.random(len(x)) < 0.1 + 0.8 * x.sure.to_numpy()
    y = (rng.random(len(x)) < 0.2 + 0.4 * x.sure + truth * treated).astype(int).to_numpy()
    flat = LogisticRegression(C=1e-9)  # outcome models that know nothing, so that the propensity has to correct them
    found = {
        how: learner(flat if how == "share" else LogisticRegression(), LinearRegression(), propensity=how)
        .fit(x, treated, y)
        .predict(x)
        for how in ("share", "estimated")
    }
    assert np.abs(found["estimated"] - truth).mean() < 0.03
    assert np.abs(found["share"] - truth).mean() > 0.1


def test_a_known_propensity_corrects_outcome_models_that_know_nothing():
    x, treated, y, truth = trial(share=0.2)
    predicted = DRLearner(LogisticRegression(C=1e-9), LinearRegression(), propensity=0.2).fit(x, treated, y).predict(x)
    assert predicted.mean() == pytest.approx(truth.mean(), abs=0.02)


def test_no_customer_is_predicted_by_models_that_learned_from_them():
    index = pd.MultiIndex.from_arrays([np.repeat(np.arange(60), 2), np.tile([1, 2], 60)], names=["user_id", "offer_id"])
    x = pd.DataFrame({"number": index.get_level_values(0).astype(float)}, index=index)
    fold = fold_of_rows(x, 3, seed=0)
    assert (fold.reshape(60, 2)[:, 0] == fold.reshape(60, 2)[:, 1]).all()
    assert np.bincount(fold).tolist() == [40, 40, 40]
    treated, y = np.tile([True, False], 60), (fold == 0).astype(int)
    outcomes = cross_fitted_outcomes(LogisticRegression(), x, treated, y, fold)
    assert (outcomes[fold == 0] == 0).all(), "the other folds saw nobody act"
    assert (outcomes[fold != 0] > 0).all()


def test_propensities_are_clipped():
    x, treated, *_ = trial(500)
    fold = fold_of_rows(x, 3, seed=0)
    sure = DRLearner(LogisticRegression(C=1e6), propensity="estimated", clip=0.05)
    apparent = propensities(sure, x.assign(it=treated.astype(float)), treated, fold)
    assert {*np.round(apparent, 3)} == {0.05, 0.95}
    assert propensities(DRLearner(propensity=0.3), x, treated, fold).tolist() == [0.3] * 500
    assert propensities(DRLearner(), x, treated, fold)[0] == pytest.approx(treated.mean())


@BOTH
def test_rounds_of_cross_fitting_are_averaged(learner):
    x, treated, y, _ = trial(600)
    once, again, both = (
        learner(LogisticRegression(), LinearRegression(), seed=seed, n_repeats=rounds).fit(x, treated, y).predict(x)
        for seed, rounds in ((1, 1), (2, 1), (1, 2))
    )
    assert not np.allclose(once, again)
    np.testing.assert_allclose(both, (once + again) / 2, atol=1e-3)


@BOTH
def test_any_regressor_learns_the_effects(learner):
    x, treated, y, truth = trial(4_000)
    trees = HistGradientBoostingRegressor(max_iter=30, max_depth=2, min_samples_leaf=200)
    predicted = learner(LogisticRegression(), trees).fit(x, treated, y).predict(x)
    assert np.corrcoef(predicted, truth)[0, 1] > 0.7


@BOTH
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"propensity": 0}, "propensity=0 must lie above 0 and below 1: without customers of both kinds"),
        ({"propensity": 1.0}, "propensity=1.0 must lie above 0 and below 1"),
        ({"propensity": "guessed"}, "propensity='guessed' must be share, estimated or a number below 1"),
        ({"clip": 0}, "clip=0 must be above 0"),
        ({"clip": 0.5}, "clip=0.5 must be below 0.5"),
        ({"n_splits": 1}, "n_splits=1 must be 2 or more"),
        ({"n_repeats": 0}, "n_repeats=0 must be 1 or more"),
    ],
)
def test_settings_out_of_range_are_refused(learner, settings, message):
    with pytest.raises(ValueError, match=f"{learner.__name__}: {message}"):
        learner(**settings)


def test_too_few_customers_are_refused():
    x, _, y, _ = trial(30)
    one = np.arange(30) == 4
    with pytest.raises(ValueError, match="too few customers were treated: some folds have none; lower n_splits"):
        DRLearner().fit(x, one, y)
    with pytest.raises(ValueError, match="2 customers cannot be cut into n_splits=3"):
        DRLearner().fit(x.head(2), np.array([True, False]), y[:2])
