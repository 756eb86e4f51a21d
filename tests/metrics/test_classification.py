import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from omniretail.metrics.classification import (
    auc_per_group,
    average_precision,
    equal_size_bins,
    expected_calibration_error,
)


@pytest.mark.parametrize("decimals", [6, 1])
def test_against_an_independent_implementation(decimals: int) -> None:
    """Rounded scores are full of ties."""
    rng = np.random.default_rng(0)
    truth, group = (rng.random(500) < 0.2).astype(float), rng.integers(0, 4, 500)
    scores = (rng.random(500) + 0.3 * truth).round(decimals)
    assert average_precision(truth, scores) == pytest.approx(average_precision_score(truth, scores))
    each = [roc_auc_score(truth[group == number], scores[group == number]) for number in range(4)]
    np.testing.assert_allclose(auc_per_group(truth, scores, group), each)


def test_by_hand() -> None:
    assert average_precision(np.array([0, 1, 0, 1]), np.array([0.9, 0.8, 0.7, 0.6])) == (1 / 2 + 2 / 4) / 2
    assert average_precision(np.array([0, 1]), np.array([0.5, 0.5])) == 0.5, "equal scores share a rank"
    found = auc_per_group(np.array([0, 1, 1, 0, 0]), np.array([0.5, 0.5, 0.1, 0.2, 0.3]), np.array([0, 0, 1, 1, 3]))
    np.testing.assert_array_equal(found, [0.5, 0.0, np.nan, np.nan])


def test_where_nothing_can_be_told() -> None:
    assert np.isnan(average_precision(np.zeros(3), np.arange(3)))
    assert auc_per_group(np.zeros(0), np.zeros(0), np.zeros(0, dtype=int)).shape == (0,)


def test_calibration_does_not_depend_on_the_order_of_equal_probabilities() -> None:
    truth, shuffled = np.repeat([0.0, 1.0], [900, 100]), np.random.default_rng(0).permutation(1000)
    right = np.full(1000, 0.1)
    assert expected_calibration_error(truth, right) == pytest.approx(0, abs=1e-12), "right, and rows are sorted"
    assert expected_calibration_error(truth[shuffled], right) == pytest.approx(0, abs=1e-12)
    stepped = np.random.default_rng(1).integers(0, 7, 1000) / 10
    errors = [expected_calibration_error(truth[rows], stepped[rows]) for rows in (np.arange(1000), shuffled)]
    assert errors[0] == pytest.approx(errors[1])


def test_bins_without_equal_values_are_those_of_equal_size() -> None:
    values = np.random.default_rng(2).random(103)
    by_hand = np.array_split(np.argsort(values), 10)
    assert [each.tolist() for each in equal_size_bins(values, 10)] == [each.tolist() for each in by_hand]
    assert [each.tolist() for each in equal_size_bins(np.zeros(0), 10)] == [[]]
