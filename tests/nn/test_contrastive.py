import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.nn.contrastive import margin_contrast, softmax_contrast

OWNER = torch.tensor([0, 0, 1, 1])
APART = F.normalize(torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), dim=1)
MIXED = APART[[0, 2, 1, 3]]


def test_softmax_by_hand() -> None:
    assert softmax_contrast(APART, OWNER, 1.0).item() == pytest.approx(math.log(1 + 2 / math.e))
    assert softmax_contrast(MIXED, OWNER, 1.0).item() == pytest.approx(math.log(1 + math.e + 1))


def test_margin_by_hand() -> None:
    assert margin_contrast(APART, OWNER, 0.5, 1).item() == pytest.approx(0, abs=1e-6)
    # four ordered pairs of one owner at squared distance 2; of other owners the nearest of each is at 0
    assert margin_contrast(MIXED, OWNER, 0.5, 1).item() == pytest.approx((4 * 2 + 4 * 0.25) / 8, rel=1e-3)


@pytest.mark.parametrize(
    "loss",
    [
        lambda vectors, owner: softmax_contrast(vectors, owner, 0.1),
        lambda vectors, owner: margin_contrast(vectors, owner, 0.5, 5),
    ],
    ids=["softmax", "margin"],
)
@pytest.mark.parametrize("owner", [[0, 0, 0], [0, 1, 2], [0], [0, 0, 1, 1, 1]], ids=["one", "no pair", "single", "two"])
def test_gradients_are_finite_whoever_is_in_the_batch(loss, owner) -> None:
    vectors = torch.ones(len(owner), 3, requires_grad=True)  # all alike: the distance is nought
    value = loss(F.normalize(vectors, dim=1), torch.tensor(owner))
    value.backward()
    assert math.isfinite(value.item())
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()
