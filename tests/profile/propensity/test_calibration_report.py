"""Metrics of calibration, each of them by hand."""

import numpy as np
import pytest

from omniretail.metrics.classification import expected_calibration_error, log_loss
from omniretail.profile.propensity.calibration_report import CalibrationReport


def two_classes() -> CalibrationReport:
    return CalibrationReport(
        question="department_propensity",
        classes=["food", "garden"],
        before=np.array([[0.9, 0.5], [0.9, 0.5], [0.1, 0.5], [0.1, 0.5]]),
        after=np.array([[0.8, 0.1], [0.6, 0.2], [0.2, 0.1], [0.0, 0.7]]),
        truth=np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),
        methods=["platt", "base rate"],
    )


def test_metrics_of_a_class_by_hand() -> None:
    food, garden = two_classes().per_class.to_dict("records")
    assert (food["question"], food["class"], food["method"]) == ("department_propensity", "food", "platt")
    assert (food["base_rate"], food["predicted_before"], food["predicted"]) == pytest.approx((0.25, 0.5, 0.4))
    assert food["auc"] == 1.0
    assert food["brier_before"] == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    assert food["brier"] == pytest.approx((0.04 + 0.36 + 0.04 + 0.0) / 4)
    assert food["ece_before"] == pytest.approx((2 * 0.4 + 2 * 0.1) / 4), "four bins, but equal probabilities share one"
    assert food["log_loss_before"] == pytest.approx(-np.log([0.9, 0.1, 0.9, 0.9]).mean())
    assert np.isnan(garden["auc"]), "nobody did"
    assert (garden["ece_before"], garden["ece"]) == pytest.approx((0.5, 0.275))


def test_metrics_of_a_question_are_means_over_classes_and_of_all_pairs() -> None:
    report = two_classes()
    classes, metrics = report.per_class, report.metrics
    assert metrics["brier"] == pytest.approx(classes.brier.mean())
    assert metrics["ece"] == pytest.approx(classes.ece.mean())
    assert metrics["auc"] == 1.0, "of the class that has one"
    pooled = expected_calibration_error(report.truth.ravel(), report.before.ravel())
    assert metrics["ece_pooled_before"] == pytest.approx(pooled)


def test_values_per_customer_have_the_metrics_as_their_means() -> None:
    report = two_classes()
    per_customer = report.per_customer()
    assert per_customer.brier[0] == pytest.approx((0.04 + 0.01) / 2)
    for name in per_customer:
        assert per_customer[name].mean() == pytest.approx(report.metrics[name]), name
    assert report.metrics["log_loss"] == pytest.approx(log_loss(report.truth.ravel(), report.after.ravel()))


def test_exact_probabilities_have_the_error_of_sampling() -> None:
    probability = np.repeat(np.linspace(0.28, 0.32, 10), 400)[:, None]
    truth = (np.random.default_rng(0).random((4000, 1)) < probability).astype(float)
    report = CalibrationReport("churn", ["stays away"], probability, probability, truth, ["none"])
    mean_of_half_normal = np.sqrt(2 / np.pi * 0.3 * 0.7 / 400)
    assert report.metrics["ece_if_calibrated"] == pytest.approx(mean_of_half_normal, rel=0.2)


def test_certain_and_right() -> None:
    truth = np.array([[0.0], [1.0], [1.0]])
    metrics = CalibrationReport("churn", ["stays away"], truth, truth, truth, ["none"]).metrics
    assert (metrics["ece"], metrics["ece_if_calibrated"], metrics["brier"]) == (0.0, 0.0, 0.0)
