from itertools import product

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linear_sum_assignment

from omniretail.o2o.allocation.auction import auction
from omniretail.o2o.allocation.solvers import aimed_at_f1, greedy, optimal

ALL = pytest.mark.parametrize("method", [greedy, optimal, auction])
BEST = pytest.mark.parametrize("method", [optimal, auction])

# greedy sends user 0 to place 0 and leaves user 1 with .1; the optimum is .8 + .85
TEMPTING = np.array([[0.9, 0.85], [0.8, 0.1]])


def probabilities(n: int = 40, m: int = 6, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(m, 0.6), n) * (rng.random((n, m)) < 0.7)


def test_greedy_takes_the_best_pair_first() -> None:
    assert greedy(TEMPTING, np.array([1, 1])).value == pytest.approx(1.0)


@BEST
def test_others_find_the_optimum(method) -> None:
    chosen = method(TEMPTING, np.array([1, 1]))
    assert chosen.value == pytest.approx(1.65)
    assert chosen.matrix().toarray().tolist() == [[False, True], [True, False]]


@ALL
@pytest.mark.parametrize(("k", "room"), list(product([1, 2, 3], [0, 1, 5, 40])))
def test_limits_hold(method, k, room) -> None:
    budget = np.array([room, 3, 0, 7, 1, 2])
    chosen = method(probabilities(), budget, k)
    matrix = chosen.matrix().toarray()
    assert matrix.sum() == len(chosen.user), "no pair twice"
    assert (matrix.sum(axis=0) <= budget).all()
    assert (matrix.sum(axis=1) <= k).all()
    assert chosen.value == pytest.approx(probabilities()[matrix].sum())
    assert (probabilities()[matrix] > 0).all()


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("k", [1, 2])
def test_the_gap_is_proven(seed, k) -> None:
    values, budget = probabilities(seed=seed), np.random.default_rng(seed).integers(0, 9, 6)
    best, near, base = optimal(values, budget, k), auction(values, budget, k), greedy(values, budget, k)
    assert base.value <= best.value + 1e-9
    assert base.value >= best.value / 2
    assert near.value <= best.value + 1e-9 <= near.bound + 2e-9
    assert near.value >= best.value * (1 - near.gap) - 1e-9
    assert best.gap == pytest.approx(0, abs=1e-6)


def test_a_smaller_step_comes_nearer() -> None:
    values, budget = probabilities(400, seed=3), np.full(6, 40)
    best = optimal(values, budget).value
    missing = [best - auction(values, budget, step=step).value for step in (0.5, 1e-4)]
    assert missing[1] <= 400 * 1e-4 * values.max(axis=1).mean()
    assert missing[1] <= missing[0]


def test_greedy_has_no_bound() -> None:
    assert np.isnan(greedy(TEMPTING, np.array([1, 1])).gap)


@BEST
def test_one_each_is_the_assignment_problem(method) -> None:
    values = np.random.default_rng(1).random((7, 7))
    expected = values[linear_sum_assignment(values, maximize=True)].sum()
    chosen = method(values, np.ones(7), **({"step": 1e-5} if method is auction else {}))
    assert chosen.value == pytest.approx(expected, rel=1e-3)


@ALL
def test_all_users_compete_for_one_store(method) -> None:
    values = np.zeros((50, 3))
    values[:, 1] = np.linspace(0.5, 0.9, 50)
    chosen = method(values, np.array([9, 10, 9]), 2)
    assert sorted(chosen.user) == list(range(40, 50)), "those with the highest values"
    assert set(chosen.place) == {1}


@ALL
@pytest.mark.parametrize(
    ("values", "budget"),
    [(np.zeros((3, 2)), [1, 1]), (np.ones((3, 2)), [0, 0]), (np.ones((0, 2)), [1, 1]), (-np.ones((3, 2)), [1, 1])],
)
def test_without_value_or_budget_nothing_is_chosen(method, values, budget) -> None:
    chosen = method(values, np.array(budget))
    assert (len(chosen.user), chosen.value, chosen.gap) == (0, 0, 0)
    assert chosen.matrix().shape == values.shape


@ALL
def test_wrong_problems_are_refused(method) -> None:
    with pytest.raises(ValueError, match="the budget of place 1 is -2"):
        method(TEMPTING, np.array([1, -2]))
    with pytest.raises(ValueError, match="2 places take 2 budgets and a user at least one offer: got 3, k=1"):
        method(TEMPTING, np.array([1, 1, 1]))
    with pytest.raises(ValueError, match="got 2, k=0"):
        method(TEMPTING, np.array([1, 1]), 0)
    with pytest.raises(ValueError, match="a value is not a number"):
        method(TEMPTING * np.array([np.nan, 1]), np.array([1, 1]))


def test_prices_must_rise() -> None:
    with pytest.raises(ValueError, match="step=0 must be above 0"):
        auction(TEMPTING, np.array([1, 1]), step=0)


@ALL
def test_sparse_and_dense_are_one(method) -> None:
    budget = np.array([2, 3, 0, 7, 1, 2])
    assert method(sparse.csr_array(probabilities()), budget).value == pytest.approx(
        method(probabilities(), budget).value
    )


@ALL
def test_offers_that_cost_more_than_they_bring_are_left_out(method) -> None:
    values = np.array([[0.9], [0.8], [0.05], [0.02]])
    chosen = aimed_at_f1(method, values, np.array([4]))
    assert sorted(chosen.user) == [0, 1]
    assert chosen.value == pytest.approx(1.7)


def test_no_other_allocation_has_a_better_expected_f1() -> None:
    values, budget = probabilities(4, 3, seed=5), np.array([1, 2, 1])
    servable = np.minimum(values.sum(axis=0), budget).sum()
    best = 0.0
    for places in product(range(-1, 3), repeat=4):  # every way to send four users to three places or nowhere
        counts = np.bincount([place for place in places if place >= 0], minlength=3)
        if (counts <= budget).all():
            hits = sum(values[user, place] for user, place in enumerate(places) if place >= 0)
            best = max(best, 2 * hits / (counts.sum() + servable))
    chosen = aimed_at_f1(optimal, values, budget)
    assert 2 * chosen.value / (len(chosen.user) + servable) == pytest.approx(best)


def test_with_nobody_to_serve_nothing_is_chosen() -> None:
    assert len(aimed_at_f1(greedy, np.zeros((3, 2)), np.array([1, 1])).user) == 0
