import numpy as np
import pytest

from omniretail.models.recommenders import ease
from omniretail.models.recommenders.ease import EASE
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on


def closed_form(matrix: np.ndarray, l2: float) -> np.ndarray:
    """Item weights by the paper's equation 8, in double precision."""
    inverse = np.linalg.inv(matrix.T @ matrix + l2 * np.eye(matrix.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(("n_users", "n_items"), [(40, 15), (15, 40), (20, 20)], ids=["items", "users", "square"])
@pytest.mark.parametrize("l2", [0.5, 30.0])
def test_both_spaces_give_the_closed_form(n_users: int, n_items: int, l2: float, monkeypatch) -> None:
    monkeypatch.setattr(ease, "_BLOCK", 7)
    baskets = random_baskets(n_users, n_items)
    model = EASE(l2).fit(train_on(baskets, n_items))
    assert hasattr(model, "kernel_") == (n_items > n_users)
    others = random_baskets(8, n_items, seed=1)
    expected = matrix_of(others, n_items) @ closed_form(matrix_of(baskets, n_items), l2)
    np.testing.assert_allclose(model.score(Histories.of(others, n_items)), expected, atol=2e-5)


def test_weights_solve_the_regression_they_are_said_to_solve() -> None:
    baskets = random_baskets(30, 6)
    matrix, model = matrix_of(baskets, 6), EASE(l2=3.0).fit(train_on(baskets, 6))
    others = [0, 1, 3, 4, 5]
    ridge = np.linalg.solve(matrix[:, others].T @ matrix[:, others] + 3 * np.eye(5), matrix[:, others].T @ matrix[:, 2])
    np.testing.assert_allclose(model.item_weights_[others, 2], ridge, atol=1e-5)
    assert model.item_weights_[2, 2] == 0


def test_a_matrix_without_an_inverse_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cannot be inverted with l2=1e-12; raise it"):
        EASE(l2=1e-12).fit(train_on([[[0, 1]], [[0, 1]]], n_items=2))


def test_refitting_in_the_other_space_forgets_the_first_fit() -> None:
    many_users, many_items = train_on(random_baskets(40, 15), 15), train_on(random_baskets(15, 40), 40)
    again = EASE().fit(many_users).fit(many_items)
    np.testing.assert_array_equal(again.score(many_items.histories), EASE().fit(many_items).score(many_items.histories))
