import numpy as np
import pytest
from scipy import sparse

from omniretail.metrics.allocation import budget_metrics, require_budgets

# place 0: recommended to 0, 1, 2, acted 1, 2, 3; place 1: recommended to 3, acted 3; place 2: recommended to 0
RECOMMENDED = np.array([[1, 0, 1], [1, 0, 0], [1, 0, 0], [0, 1, 0]])
ACTED = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 0], [1, 1, 0]])


@pytest.mark.parametrize(
    ("budget", "served", "precision", "recall", "f1"),
    [
        ([9, 9, 9], 3, 3 / 5, 3 / 4, 2 / 3),  # two hits at place 0, one at place 1
        ([1, 1, 1], 2, 2 / 5, 2 / 2, 4 / 7),  # of three who act at place 0 one can be served
        ([2, 0, 5], 2, 2 / 5, 2 / 2, 4 / 7),  # a place without budget serves nobody
        ([np.inf, 1, 0], 3, 3 / 5, 3 / 4, 2 / 3),
    ],
)
def test_worked_by_hand(budget, served, precision, recall, f1) -> None:
    metrics = budget_metrics(RECOMMENDED, ACTED, np.array(budget))
    assert (metrics.served, metrics.recommended) == (served, 5)
    assert metrics.precision == pytest.approx(precision)
    assert metrics.recall == pytest.approx(recall)
    assert metrics.f1 == pytest.approx(f1)
    assert metrics.f1 == pytest.approx(2 * precision * recall / (precision + recall))


def test_sparse_and_dense_are_one() -> None:
    budget = np.array([1, 1, 1])
    assert budget_metrics(sparse.csr_array(RECOMMENDED), sparse.csr_array(ACTED), budget) == budget_metrics(
        RECOMMENDED, ACTED, budget
    )


def test_a_value_counts_as_one_user() -> None:
    assert budget_metrics(RECOMMENDED * 0.3, ACTED * 7, np.array([9, 9, 9])).served == 3


def test_nothing_recommended_and_nothing_served() -> None:
    nothing = budget_metrics(RECOMMENDED * 0, ACTED, np.array([1, 1, 1]))
    assert np.isnan(nothing.precision)
    assert (nothing.recall, nothing.f1) == (0, 0)
    closed = budget_metrics(RECOMMENDED, ACTED, np.array([0, 0, 0]))
    assert np.isnan(closed.recall)
    assert (closed.precision, closed.f1) == (0, 0)
    assert np.isnan(budget_metrics(RECOMMENDED * 0, ACTED, np.array([0, 0, 0])).f1)


@pytest.mark.parametrize("budget", [[1, -1, 0], [1, np.nan, 0]])
def test_a_budget_is_zero_or_more(budget) -> None:
    with pytest.raises(ValueError, match=r"budget of place 1 is (-1|nan); it must be 0 \(nobody\) or more"):
        require_budgets(np.array(budget))


def test_every_place_has_a_budget() -> None:
    with pytest.raises(ValueError, match="users x places with a budget each"):
        budget_metrics(RECOMMENDED, ACTED, np.array([1, 1]))
    with pytest.raises(ValueError, match="users x places with a budget each"):
        budget_metrics(RECOMMENDED, ACTED[:2], np.array([1, 1, 1]))
