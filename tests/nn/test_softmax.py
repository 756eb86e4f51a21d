import pytest
import torch
from torch.nn.functional import cross_entropy

from omniretail.nn import softmax
from omniretail.nn.losses import sampled_softmax, scores_of
from omniretail.nn.softmax import full_softmax, shared_softmax

N_ITEMS = 7


def drawn(n_positions: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(n_positions)
    states = torch.randn(n_positions, 3, generator=generator, requires_grad=True)
    items = torch.randn(N_ITEMS, 3, generator=generator, requires_grad=True)
    return states, items, torch.randint(N_ITEMS, (n_positions,), generator=generator)


@pytest.mark.parametrize("entries", [1 << 24, 5 * N_ITEMS, 4 * N_ITEMS - 1, 1], ids=["whole", "by 5", "by 3", "by 1"])
@pytest.mark.parametrize("n_positions", [1, 11, 15])
def test_value_and_gradients_are_those_of_cross_entropy(n_positions: int, entries: int, monkeypatch) -> None:
    monkeypatch.setattr(softmax, "_ENTRIES", entries)
    states, items, targets = drawn(n_positions)
    expected = cross_entropy(states @ items.T, targets)
    to_states, to_items = torch.autograd.grad(3 * expected, (states, items))
    loss = full_softmax(states, items, targets)
    torch.testing.assert_close(loss, expected)
    mine = torch.autograd.grad(3 * loss, (states, items))
    torch.testing.assert_close(mine, (to_states, to_items))


def test_scores_in_the_hundreds_do_not_overflow() -> None:
    states, items, targets = drawn(5)
    loss = full_softmax(states * 1000, items, targets)
    torch.testing.assert_close(loss, cross_entropy(states * 1000 @ items.T, targets))
    assert torch.isfinite(torch.autograd.grad(loss, items)[0]).all()


def test_no_positions_cost_nothing_and_teach_nothing() -> None:
    states, items, targets = drawn(0)
    loss = full_softmax(states, items, targets)
    assert loss.item() == 0
    to_states, to_items = torch.autograd.grad(loss, (states, items))
    assert to_states.shape == (0, 3)
    assert not to_items.any()


def test_half_precision_changes_little() -> None:
    states, items, targets = drawn(11)
    with torch.autocast("cpu", torch.bfloat16):
        loss = full_softmax(states, items, targets)
    expected = cross_entropy(states @ items.T, targets)
    torch.testing.assert_close(loss, expected, atol=0.02, rtol=0.02)
    mine, exact = (torch.autograd.grad(each, (states, items)) for each in (loss, expected))
    torch.testing.assert_close(mine, exact, atol=0.02, rtol=0.05)


@pytest.mark.parametrize("entries", [1 << 19, 12, 1], ids=["whole", "by 3", "by 1"])
@pytest.mark.parametrize("n_positions", [1, 11, 15])
def test_over_shared_negatives_it_is_sampled_softmax(n_positions: int, entries: int, monkeypatch) -> None:
    monkeypatch.setattr(softmax, "_FEW_ENTRIES", entries)
    states, items, targets = drawn(n_positions)
    negatives = torch.tensor([0, 3, 3, 5])  # drawn with replacement, and targets among them
    expected = sampled_softmax(*scores_of(states, items, targets, negatives))
    wanted = torch.autograd.grad(3 * expected, (states, items))
    loss = shared_softmax(states, items, targets, negatives)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(3 * loss, (states, items)), wanted)


def test_where_every_negative_is_the_target_nothing_is_learned() -> None:
    states, items, _ = drawn(2)
    loss = shared_softmax(states, items, torch.tensor([4, 4]), torch.tensor([4, 4]))
    assert loss.item() == 0
    assert not torch.autograd.grad(loss, states)[0].any()
