from math import log, log1p

import numpy as np
import pytest
import torch

from omniretail.nn.repeats import OwnItems

N_ITEMS = 6


@pytest.fixture
def own() -> OwnItems:
    torch.manual_seed(0)
    own = OwnItems(N_ITEMS)
    with torch.no_grad():
        own.age.normal_()
        own.item_strength.copy_(torch.tensor([0.5, -0.3, 0.0, -2.0, 1.0, 0.2]))  # item 3 is never taken again
    return own


def histories(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Items of 40 rows, up to 9 events each, and how many baskets ago they were; -1 where not seen."""
    rng = np.random.default_rng(seed)
    items = rng.integers(0, N_ITEMS, (40, 9))
    ago = np.sort(rng.integers(0, 30, (40, 9)), axis=1)[:, ::-1].copy()
    ago[np.arange(9) >= rng.integers(0, 10, 40)[:, None]] = -1
    return torch.from_numpy(items), torch.from_numpy(ago)


def by_loops(own: OwnItems, items: torch.Tensor, ago: torch.Tensor) -> np.ndarray:
    """The bonus of each item in each row; shape (B, I)."""
    age = [log1p(np.exp(float(each))) for each in own.age]
    bonus = np.zeros((len(items), N_ITEMS))
    for row in range(len(items)):
        total = [0.0] * N_ITEMS
        for item, baskets in zip(items[row].tolist(), ago[row].tolist(), strict=True):
            if baskets >= 0:
                total[item] += age[(baskets + 1).bit_length() - 1]
        for item in range(N_ITEMS):
            strength = max(0.0, float(own.strength + own.item_strength[item]))
            bonus[row, item] = strength * log(1 + total[item])
    return bonus


@torch.inference_mode()
def test_scores_gain_the_bonus(own: OwnItems) -> None:
    items, ago = histories()
    scores = torch.randn(40, N_ITEMS)
    added = own.add_to(scores, items, ago) - scores
    np.testing.assert_allclose(added, by_loops(own, items, ago), atol=1e-5)


def at_states(items: torch.Tensor, ago: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Four sequences of ten, and their first events as old as the rows of ``histories`` have them; (4, 10, L)."""
    return items.reshape(4, 10, 9)[:, 0], ago.reshape(4, 10, 9)


@torch.inference_mode()
def test_candidates_are_the_items_of_the_history_once_each_with_the_same_bonus(own: OwnItems) -> None:
    items, ago = at_states(*histories())
    bonus, stands = own.candidates(items, ago)
    assert bonus.shape == stands.shape == (4, 10, 9)
    for sequence, state in np.ndindex(4, 10):
        expected = by_loops(own, items[[sequence]], ago[sequence, [state]])[0]
        seen = items[sequence][ago[sequence, state] >= 0].tolist()
        places = stands[sequence, state].nonzero().flatten().tolist()
        assert places == sorted(max(at for at, each in enumerate(seen) if each == item) for item in set(seen))
        for place in places:
            item = int(items[sequence, place])
            assert bonus[sequence, state, place].item() == pytest.approx(expected[item], abs=1e-5)


@torch.inference_mode()
def test_what_is_not_yet_seen_weighs_nothing(own: OwnItems) -> None:
    ago = torch.tensor([-1, 0, -1, 5])
    assert (own.weights(ago) > 0).tolist() == [False, True, False, True]
    items = torch.tensor([[2, 2, 4]])
    bonus, stands = own.candidates(items, torch.tensor([[[0, -1, -1], [1, 0, -1]]]))
    assert stands.tolist() == [[[True, False, False], [False, True, False]]]
    assert not bonus[..., 2].any()
    scores = own.add_to(torch.zeros(1, N_ITEMS), items, torch.full((1, 3), -1))
    assert not scores.any()


@torch.inference_mode()
def test_ages_share_a_weight_in_widths_that_double() -> None:
    own = OwnItems(1)
    own.age.copy_(torch.arange(12.0))
    ago = torch.arange(5000)
    places = [min(11, (each + 1).bit_length() - 1) for each in range(5000)]
    torch.testing.assert_close(own.weights(ago), torch.nn.functional.softplus(own.age)[places])


@torch.inference_mode()
def test_at_first_the_more_often_the_higher_like_personal_top() -> None:
    own = OwnItems(4)
    items, ago = torch.tensor([[0, 1, 1, 2, 2, 2]]), torch.tensor([[3, 2, 2, 1, 0, 0]])
    added = own.add_to(torch.zeros(1, 4), items, ago)[0]
    assert added.argsort(descending=True).tolist() == [2, 1, 0, 3]
    torch.testing.assert_close(added, (log(2) * torch.tensor([1.0, 2, 3, 0])).log1p())


def test_gradients_of_candidates_and_scores_agree(own: OwnItems) -> None:
    items, ago = at_states(*histories())
    bonus, stands = own.candidates(items, ago)
    by_candidates = torch.autograd.grad((bonus * stands).sum(), list(own.parameters()))
    scores = own.add_to(torch.zeros(40, N_ITEMS), items.repeat_interleave(10, dim=0), ago.flatten(0, 1))
    by_scores = torch.autograd.grad(scores.sum(), list(own.parameters()))
    torch.testing.assert_close(by_candidates, by_scores)
    assert by_scores[2][3] == 0  # below nought, a strength stays as it is
