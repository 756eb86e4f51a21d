import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from omniretail.metrics.classification import expected_calibration_error, log_loss
from omniretail.profile.propensity.calibration import (
    base_rate,
    calibrated,
    chosen,
    chosen_per_class,
    isotonic,
    platt,
    uncalibrated,
)


def overconfident(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Promises twice as sure, in log odds, as they should be, and what happened."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1, n)
    return expit(2 * odds), (rng.random(n) < expit(odds)).astype(float)


def bent(n: int = 8000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Promises that no line through the log odds can mend: a step."""
    rng = np.random.default_rng(seed)
    promise = rng.random(n)
    return promise, (rng.random(n) < np.where(promise > 0.7, 0.9, 0.1)).astype(float)


def test_platt_is_scikit_learns_line_through_the_log_odds():
    promise, truth = overconfident()
    reference = LogisticRegression(C=1e4).fit(logit(promise)[:, None], truth)
    asked = np.linspace(0.01, 0.99, 50)
    np.testing.assert_allclose(platt(promise, truth)(asked), reference.predict_proba(logit(asked)[:, None])[:, 1])


def test_isotonic_is_scikit_learns_but_never_certain():
    promise, truth = bent(500)
    reference = IsotonicRegression(out_of_bounds="clip").fit(promise, truth)
    asked = np.linspace(0, 1, 200)
    found = isotonic(promise, truth)(asked)
    knots = np.clip(reference.y_thresholds_, 0.5 / 501, 1 - 0.5 / 501)
    np.testing.assert_allclose(found, np.interp(asked, reference.X_thresholds_, knots))
    assert 0 < found.min() < found.max() < 1


@pytest.mark.parametrize(("made", "method"), [(overconfident, "platt"), (bent, "isotonic")])
def test_the_better_method_is_chosen_and_mends_what_comes_later(made, method):
    calibrator = chosen(*made(seed=0))
    assert calibrator.method == method
    promise, truth = made(seed=1)
    mended = calibrator(promise)
    before, after = (expected_calibration_error(truth, each) for each in (promise, mended))
    assert after < 0.02 < 0.05 < before
    assert log_loss(truth, mended) < log_loss(truth, promise)


def test_true_promises_are_hardly_touched():
    rng = np.random.default_rng(2)
    promise = expit(rng.normal(-1, 1, 3000))
    truth = (rng.random(3000) < promise).astype(float)
    np.testing.assert_allclose(chosen(promise, truth)(promise), promise, atol=0.04)


@pytest.mark.parametrize("make", [platt, isotonic, chosen])
def test_curves_never_fall(make):
    calibrator = make(*overconfident(600))
    assert (np.diff(calibrator(np.linspace(0, 1, 500))) >= 0).all()


def test_a_line_that_falls_gives_way_to_the_base_rate():
    promise, truth = overconfident()
    found = platt(1 - promise, truth)
    assert found.method == "base rate"
    assert found(np.array([0.1, 0.9])) == pytest.approx(np.full(2, truth.mean()), abs=1e-3)


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.5 / 41), (1.0, 40.5 / 41)])
def test_one_class_only_gives_the_base_rate_and_no_certainty(value, expected):
    found = chosen(np.linspace(0.1, 0.9, 40), np.full(40, value))
    assert found.method == "base rate"
    np.testing.assert_allclose(found(np.array([0.0, 0.3, 1.0])), expected)


def test_too_few_to_tell_are_left_as_they_are():
    promise = np.linspace(0.1, 0.9, 200)
    found = chosen(promise, (np.arange(200) >= 195).astype(float))
    assert found.method == "none"
    np.testing.assert_array_equal(found(promise), promise)


def test_no_step_function_for_few_customers():
    promise, truth = bent(600)
    assert truth.sum() > 200
    few = np.flatnonzero(truth == 1)[150:]
    assert chosen(promise, truth).method == "isotonic"
    assert chosen(np.delete(promise, few), np.delete(truth, few)).method != "isotonic"


def test_classes_with_few_customers_share_a_calibrator():
    promise, truth = (
        np.stack(each, axis=1) for each in zip(*(overconfident(1000, seed) for seed in range(3)), strict=True)
    )
    for column in (1, 2):
        truth[np.flatnonzero(truth[:, column])[60:], column] = 0.0
    own, first, second = chosen_per_class(promise, truth)
    assert first is second
    assert own is not first
    few = chosen(promise[:, 1:].ravel(), truth[:, 1:].ravel())
    np.testing.assert_array_equal(first.y, few.y)


def test_each_class_goes_through_its_own_curve():
    promise = np.tile([[0.2], [0.8]], 2)
    found = calibrated([uncalibrated(), base_rate(np.array([0.0, 1.0]))], promise)
    np.testing.assert_array_equal(found, [[0.2, 0.5], [0.8, 0.5]])
