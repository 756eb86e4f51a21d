"""Figures of promises: each of them by hand."""

import numpy as np
import pytest

from omniretail.metrics.classification import expected_calibration_error
from omniretail.profile.propensity.reliability import CalibrationReport


def two_classes() -> CalibrationReport:
    return CalibrationReport(
        question="department_propensity",
        classes=["food", "garden"],
        before=np.array([[0.9, 0.5], [0.9, 0.5], [0.1, 0.5], [0.1, 0.5]]),
        after=np.array([[0.8, 0.1], [0.6, 0.2], [0.2, 0.1], [0.0, 0.7]]),
        truth=np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]),
        methods=["platt", "base rate"],
    )


def test_figures_by_hand():
    food, garden = two_classes().figures().to_dict("records")
    assert (food["question"], food["class"], food["method"]) == ("department_propensity", "food", "platt")
    assert (food["base_rate"], food["promised_before"], food["promised"]) == pytest.approx((0.25, 0.5, 0.4))
    assert food["auc"] == 1.0
    assert food["brier_before"] == pytest.approx((0.01 + 0.81 + 0.01 + 0.01) / 4)
    assert food["brier"] == pytest.approx((0.04 + 0.36 + 0.04 + 0.0) / 4)
    assert food["ece_before"] == pytest.approx((0.1 + 0.9 + 0.1 + 0.1) / 4), "four customers: four bins"
    assert food["log_loss_before"] == pytest.approx(-np.log([0.9, 0.1, 0.9, 0.9]).mean())
    assert np.isnan(garden["auc"]), "nobody did"
    assert (garden["ece_before"], garden["ece"]) == pytest.approx((0.5, 0.275))


def test_the_summary_is_the_mean_of_classes_and_one_heap_of_pairs():
    promises = two_classes()
    figures, summary = promises.figures(), promises.summary()
    assert (summary["classes"], summary["customers"]) == (2, 4)
    assert summary["brier"] == pytest.approx(figures.brier.mean())
    assert summary["ece"] == pytest.approx(figures.ece.mean())
    assert summary["auc"] == 1.0, "of the class that has one"
    heap = expected_calibration_error(promises.truth.ravel(), promises.before.ravel())
    assert summary["ece_pooled_before"] == pytest.approx(heap)
    assert summary["methods"] == "platt 1, base rate 1"


def test_luck_is_what_promises_that_are_exactly_right_would_get():
    probability = np.full((4000, 1), 0.3)
    truth = (np.random.default_rng(0).random((4000, 1)) < 0.3).astype(float)
    found = CalibrationReport("churn", ["stays away"], probability, probability, truth, ["none"]).figures().iloc[0]
    assert found.ece_if_true == pytest.approx(np.sqrt(2 / np.pi * 0.3 * 0.7 / 400), rel=0.2)  # mean of a half normal


def test_no_luck_in_certainty():
    truth = np.array([[0.0], [1.0], [1.0]])
    found = CalibrationReport("churn", ["stays away"], truth, truth, truth, ["none"]).summary()
    assert (found["ece"], found["ece_if_true"], found["brier"]) == (0.0, 0.0, 0.0)
