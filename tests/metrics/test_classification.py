import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from omniretail.metrics.classification import auc_per_group, average_precision


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
