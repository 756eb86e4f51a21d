import numpy as np
import pytest
from numpy.polynomial import chebyshev

from omniretail.models.recommenders.cheby_cf import ChebyCF, plateau_coefficients
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on


def by_dense_algebra(matrix: np.ndarray, own: np.ndarray, model: ChebyCF) -> np.ndarray:
    """The paper's filters, each applied to the eigenvalues of the graph's Laplacian."""
    users, items = np.diag(matrix.sum(axis=1) ** -model.user_exponent), np.diag(matrix.sum(axis=0) ** -0.5)
    normalised = users @ matrix @ items
    normalised /= np.linalg.norm(normalised, 2)
    frequencies, waves = np.linalg.eigh(np.eye(matrix.shape[1]) - normalised.T @ normalised)  # ascending
    smooth = chebyshev.chebval(2 * frequencies - 1, plateau_coefficients(model.order, model.flatness))
    ideal = np.arange(len(frequencies)) < model.factors
    degrees = matrix.sum(axis=0) ** model.beta
    return (own / degrees) @ (waves * (smooth + model.alpha * ideal)) @ waves.T * degrees


@pytest.mark.parametrize(("n_users", "n_items"), [(50, 20), (20, 50)], ids=["fewer items", "fewer users"])
@pytest.mark.parametrize(("order", "flatness", "exponent"), [(1, 1.0, 0.5), (4, 10.0, 0.2), (9, 1.5, 0.5)])
def test_scores_are_those_of_dense_algebra(
    n_users: int, n_items: int, order: int, flatness: float, exponent: float
) -> None:
    baskets, others = random_baskets(n_users, n_items), random_baskets(6, n_items, seed=1)
    model = ChebyCF(order, flatness, factors=5, alpha=0.4, beta=0.3, user_exponent=exponent, iterations=30)
    model.fit(train_on(baskets, n_items))
    expected = by_dense_algebra(matrix_of(baskets, n_items), matrix_of(others, n_items), model)
    np.testing.assert_allclose(model.score(Histories.of(others, n_items)), expected, atol=1e-4)


@pytest.mark.parametrize("order", [1, 2, 8])
def test_the_polynomial_takes_the_plateaus_values_at_its_nodes(order: int) -> None:
    k = np.arange(order + 1)
    nodes, extrema = -np.cos((k + 0.5) * np.pi / (order + 1)), -np.cos(k * np.pi / order)
    plateau = np.where(extrema < 0, 1 + np.abs(extrema) ** 3, 1 - np.abs(extrema) ** 3) / 2
    np.testing.assert_allclose(chebyshev.chebval(nodes, plateau_coefficients(order, 3.0)), plateau, atol=1e-12)


def test_a_line_is_the_linear_filter_of_gf_cf() -> None:
    """Of degree 1 and with ends at the nodes, p is proportional to R'R beside a constant."""
    constant, slope = plateau_coefficients(1, 1.0)
    assert constant == pytest.approx(0.5)
    assert slope == pytest.approx(-np.sqrt(0.5))
