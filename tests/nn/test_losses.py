from math import exp, log

import numpy as np
import pytest
import torch

from omniretail.nn.losses import (
    NEVER,
    SampledLoss,
    bce,
    bpr,
    bpr_max,
    gbce,
    log_expected,
    sampled_softmax,
    scores_of,
    top1,
    top1_max,
)
from omniretail.nn.negatives import Negatives

POSITIVE, NEGATIVE = [1.0, -0.5], [[0.2, -1.0], [2.0, 0.3]]
ALL = {
    "sampled_softmax": sampled_softmax,
    "bce": bce,
    "gbce": gbce(10, 0.75),
    "bpr": bpr,
    "top1": top1,
    "top1_max": top1_max,
    "bpr_max": bpr_max(1.0),
}
every_loss = pytest.mark.parametrize("loss", ALL.values(), ids=ALL)


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def gbce_of_the_paper(n_items: int, t: float, positive: float, negatives: list[float]) -> float:
    """Equations 13 to 15 of the paper, as they are printed, of scores that count from log(beta / N)."""
    alpha = len(negatives) / (n_items - 1)
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    start = log(beta / len(negatives))
    above = log(sigmoid(positive + start) ** beta) + sum(log(1 - sigmoid(each + start)) for each in negatives)
    return -above / (len(negatives) + 1)


def weighed(positive: float, negatives: list[float]) -> list[tuple[float, float]]:
    total = sum(map(exp, negatives))
    return [(exp(each) / total, each) for each in negatives]


BY_HAND = {
    "sampled_softmax": lambda p, n: -log(exp(p) / (exp(p) + sum(map(exp, n)))),
    "bce": lambda p, n: -log(sigmoid(p)) - sum(log(1 - sigmoid(x)) for x in n) / len(n),
    "gbce": lambda p, n: gbce_of_the_paper(10, 0.75, p, n),
    "bpr": lambda p, n: -sum(log(sigmoid(p - x)) for x in n) / len(n),
    "top1": lambda p, n: sum(sigmoid(x - p) + sigmoid(x * x) for x in n) / len(n),
    "top1_max": lambda p, n: sum(w * (sigmoid(x - p) + sigmoid(x * x)) for w, x in weighed(p, n)),
    "bpr_max": lambda p, n: (
        -log(sum(w * sigmoid(p - x) for w, x in weighed(p, n))) + sum(w * x * x for w, x in weighed(p, n))
    ),
}


@pytest.mark.parametrize("name", ALL)
def test_is_the_mean_of_the_formula_over_positions(name: str) -> None:
    expected = np.mean([BY_HAND[name](p, n) for p, n in zip(POSITIVE, NEGATIVE, strict=True)])
    assert ALL[name](torch.tensor(POSITIVE), torch.tensor(NEGATIVE)).item() == pytest.approx(expected, rel=1e-5)


def test_numbers_worked_by_hand() -> None:
    nought, two_noughts = torch.zeros(1), torch.zeros(1, 2)
    expected = {"sampled_softmax": log(3), "bce": 2 * log(2), "bpr": log(2), "top1": 1.0, "top1_max": 1.0}
    for name, value in expected.items():
        assert ALL[name](nought, two_noughts).item() == pytest.approx(value), name
    assert bpr_max(5.0)(nought, two_noughts).item() == pytest.approx(log(2))
    assert bpr_max(5.0)(nought, torch.ones(1, 1)).item() == pytest.approx(log(1 + exp(1)) + 5)


@pytest.mark.parametrize("t", [0.0, 0.3, 1.0])
def test_gbce_is_the_papers(t: float) -> None:
    expected = np.mean([gbce_of_the_paper(21, t, p, n) for p, n in zip(POSITIVE, NEGATIVE, strict=True)])
    assert gbce(21, t)(torch.tensor(POSITIVE), torch.tensor(NEGATIVE)).item() == pytest.approx(expected, rel=1e-5)


def test_gbce_ranges_from_plain_bce_to_a_positive_as_rare_as_its_sampling() -> None:
    positive, negative = torch.tensor([0.7]), torch.full((1, 2), -50.0)  # negatives that cost nothing
    for t, beta in [(0.0, 1.0), (1.0, 2 / 20)]:
        expected = -beta * log(sigmoid(0.7 + log(beta / 2))) / 3
        assert gbce(21, t)(positive, negative).item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("t", [0.0, 0.75, 1.0])
def test_gbce_leaves_all_scores_where_they_are_while_nothing_is_known(t: float) -> None:
    """Without its start, 30 negatives would outweigh the positive thirty to one."""
    scores = torch.zeros(4, 31, requires_grad=True)
    gradient = torch.autograd.grad(gbce(500, t)(scores[:, 0], scores[:, 1:]), scores)[0]
    assert (gradient[:, 0] < 0).all()
    torch.testing.assert_close(gradient.sum(1), torch.zeros(4), atol=1e-7, rtol=0)


@every_loss
def test_falls_where_the_target_rises_and_a_negative_sinks(loss: SampledLoss) -> None:
    positive = torch.tensor(POSITIVE, requires_grad=True)
    negative = torch.tensor(NEGATIVE, requires_grad=True)
    to_positive, to_negative = torch.autograd.grad(loss(positive, negative), (positive, negative))
    assert (to_positive < 0).all()
    assert to_negative[1, 0] > 0  # the highest of all


@pytest.mark.parametrize("name", [name for name in ALL if name != "gbce"])  # which counts how many were drawn
def test_a_negative_that_is_the_target_weighs_nothing(name: str) -> None:
    positive, negative = torch.tensor(POSITIVE), torch.tensor(NEGATIVE)
    never = torch.full((2, 1), NEVER)
    with_it = ALL[name](positive, torch.cat([negative, never, never], dim=1))
    torch.testing.assert_close(with_it, ALL[name](positive, negative))


@every_loss
def test_a_negative_that_is_the_target_gets_no_gradient(loss: SampledLoss) -> None:
    negative = torch.tensor([[0.2, NEVER], [NEVER, 0.3]], requires_grad=True)
    value = loss(torch.tensor(POSITIVE), negative)
    assert torch.isfinite(value)
    gradient = torch.autograd.grad(value, negative)[0]
    assert gradient[0, 1] == gradient[1, 0] == 0
    assert gradient[0, 0] != 0


@pytest.mark.parametrize("name", ALL)
def test_where_every_negative_is_the_target_only_the_target_counts(name: str) -> None:
    negative = torch.full((2, 3), NEVER)
    value = ALL[name](torch.tensor(POSITIVE), negative).item()
    alone = {
        "bce": np.mean([-log(sigmoid(p)) for p in POSITIVE]),
        "gbce": np.mean([gbce_of_the_paper(10, 0.75, p, [-700.0] * 3) for p in POSITIVE]),
    }
    assert value == pytest.approx(alone.get(name, 0.0), abs=1e-6)


def test_scores_are_products_and_accidental_hits_are_never() -> None:
    items = torch.tensor([[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]])
    states = torch.tensor([[1.0, 10.0], [2.0, -1.0]])
    positive, negative = scores_of(states, items, torch.tensor([2, 0]), torch.tensor([0, 2, 1, 0]))
    assert positive.tolist() == [33, 2]
    assert negative.tolist() == [[1, NEVER, 20, 1], [NEVER, 3, -2, NEVER]]


def test_how_often_an_item_is_expected() -> None:
    assert log_expected(torch.tensor([1.0, 3.0]), 8).exp().tolist() == pytest.approx([2, 6])
    assert torch.isfinite(log_expected(torch.tensor([0.0, 1.0]), 8)).all()


def test_draws_follow_the_weights_and_more_than_all_is_each_once() -> None:
    torch.manual_seed(0)
    drawn = Negatives(torch.tensor([1.0, 0.0, 3.0]), 2)
    counts = torch.bincount(torch.cat([drawn.draw() for _ in range(2000)]), minlength=3) / 4000
    assert counts.tolist() == pytest.approx([0.25, 0, 0.75], abs=0.03)
    every = Negatives(torch.tensor([1.0, 0.5, 3.0]), 3)
    assert every.draw().tolist() == [0, 1, 2]
    assert not every.log_q.any()


def test_corrected_for_the_draw_sampled_softmax_estimates_the_whole_one() -> None:
    torch.manual_seed(0)
    n_items, n_drawn = 60, 40
    weights = torch.arange(1.0, n_items + 1) ** 2
    items = torch.randn(n_items, 4)
    items[:, 0] = weights.log()  # popular items score high, as they do in a trained model
    states = torch.cat([torch.full((30, 1), 0.4), 0.3 * torch.randn(30, 3)], dim=1)
    targets = torch.multinomial(weights, 30, replacement=True)
    whole = torch.nn.functional.cross_entropy(states @ items.T, targets).item()
    negatives = Negatives(weights, n_drawn)
    corrected, uncorrected = [], []
    for _ in range(1500):
        drawn = negatives.draw()
        positive, negative = scores_of(states, items, targets, drawn)
        corrected.append(sampled_softmax(positive, negative - negatives.log_q[drawn]).item())
        uncorrected.append(sampled_softmax(positive, negative - log(n_drawn / n_items)).item())
    assert np.mean(corrected) == pytest.approx(whole, abs=0.02)
    assert np.mean(uncorrected) > whole + 0.2


def test_corrected_over_the_whole_catalogue_it_is_the_whole_softmax() -> None:
    states, items, targets = torch.randn(4, 3), torch.randn(9, 3), torch.tensor([0, 8, 3, 3])
    positive, negative = scores_of(states, items, targets, Negatives(torch.ones(9), 20).draw())
    expected = torch.nn.functional.cross_entropy(states @ items.T, targets)
    torch.testing.assert_close(sampled_softmax(positive, negative), expected)
