import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from omniretail.metrics.classification import expected_calibration_error, log_loss
from omniretail.profile.propensity.calibration import (
    base_rate,
    best_calibrator,
    best_calibrators,
    calibrate,
    isotonic,
    platt,
    uncalibrated,
)


def overconfident(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with twice the right log odds, and what happened."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(-1, 1, n)
    return expit(2 * odds), (rng.random(n) < expit(odds)).astype(float)


def bent(n: int = 8000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that no line through the log odds can calibrate: a step."""
    rng = np.random.default_rng(seed)
    probability = rng.random(n)
    return probability, (rng.random(n) < np.where(probability > 0.7, 0.9, 0.1)).astype(float)


def test_platt_is_scikit_learns_line_through_the_log_odds() -> None:
    probability, truth = overconfident()
    reference = LogisticRegression(C=1e4).fit(logit(probability)[:, None], truth)
    new = np.linspace(0.01, 0.99, 50)
    np.testing.assert_allclose(platt(probability, truth)(new), reference.predict_proba(logit(new)[:, None])[:, 1])


def test_isotonic_is_scikit_learns_but_never_certain() -> None:
    probability, truth = bent(500)
    reference = IsotonicRegression(out_of_bounds="clip").fit(probability, truth)
    new = np.linspace(0, 1, 200)
    calibrator = isotonic(probability, truth)(new)
    knots = np.clip(reference.y_thresholds_, 0.5 / 501, 1 - 0.5 / 501)
    np.testing.assert_allclose(calibrator, np.interp(new, reference.X_thresholds_, knots))
    assert 0 < calibrator.min() < calibrator.max() < 1


@pytest.mark.parametrize(("made", "method"), [(overconfident, "platt"), (bent, "isotonic")])
def test_the_better_method_is_chosen_and_calibrates_later_probabilities(made, method) -> None:
    calibrator = best_calibrator(*made(seed=0))
    assert calibrator.method == method
    probability, truth = made(seed=1)
    calibrated = calibrator(probability)
    before, after = (expected_calibration_error(truth, each) for each in (probability, calibrated))
    assert after < 0.02 < 0.05 < before
    assert log_loss(truth, calibrated) < log_loss(truth, probability)


def test_calibrated_probabilities_hardly_change() -> None:
    rng = np.random.default_rng(2)
    probability = expit(rng.normal(-1, 1, 3000))
    truth = (rng.random(3000) < probability).astype(float)
    np.testing.assert_allclose(best_calibrator(probability, truth)(probability), probability, atol=0.04)


@pytest.mark.parametrize("make", [platt, isotonic, best_calibrator])
def test_curves_never_fall(make) -> None:
    calibrator = make(*overconfident(600))
    assert (np.diff(calibrator(np.linspace(0, 1, 500))) >= 0).all()


def test_a_falling_line_is_replaced_by_the_base_rate() -> None:
    probability, truth = overconfident()
    calibrator = platt(1 - probability, truth)
    assert calibrator.method == "base rate"
    assert calibrator(np.array([0.1, 0.9])) == pytest.approx(np.full(2, truth.mean()), abs=1e-3)


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0.5 / 41), (1.0, 40.5 / 41)])
def test_one_class_only_gives_the_base_rate_and_no_certainty(value, expected) -> None:
    calibrator = best_calibrator(np.linspace(0.1, 0.9, 40), np.full(40, value))
    assert calibrator.method == "base rate"
    np.testing.assert_allclose(calibrator(np.array([0.0, 0.3, 1.0])), expected)


def test_too_few_positives_are_not_calibrated() -> None:
    probability = np.linspace(0.1, 0.9, 200)
    calibrator = best_calibrator(probability, (np.arange(200) >= 195).astype(float))
    assert calibrator.method == "none"
    np.testing.assert_array_equal(calibrator(probability), probability)


def test_no_step_function_for_few_customers() -> None:
    probability, truth = bent(600)
    assert truth.sum() > 200
    few = np.flatnonzero(truth == 1)[150:]
    assert best_calibrator(probability, truth).method == "isotonic"
    assert best_calibrator(np.delete(probability, few), np.delete(truth, few)).method != "isotonic"


def test_classes_with_few_customers_share_a_calibrator() -> None:
    probability, truth = (
        np.stack(each, axis=1) for each in zip(*(overconfident(1000, seed) for seed in range(3)), strict=True)
    )
    for column in (1, 2):
        truth[np.flatnonzero(truth[:, column])[60:], column] = 0.0
    own, first, second = best_calibrators(probability, truth)
    assert first is second
    assert own is not first
    few = best_calibrator(probability[:, 1:].ravel(), truth[:, 1:].ravel())
    np.testing.assert_array_equal(first.y, few.y)


def test_each_class_goes_through_its_own_curve() -> None:
    probability = np.tile([[0.2], [0.8]], 2)
    calibrator = calibrate([uncalibrated(), base_rate(np.array([0.0, 1.0]))], probability)
    np.testing.assert_array_equal(calibrator, [[0.2, 0.5], [0.8, 0.5]])
