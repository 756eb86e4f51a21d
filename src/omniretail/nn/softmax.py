"""Cross-entropy over a whole catalogue without ever holding all its scores."""

from typing import Any

import torch
from torch import Tensor

_ENTRIES = 1 << 24
"""Scores held at a time: 64 MiB in float32."""


def full_softmax(states: Tensor, items: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the targets among all items.

    The scores are made in chunks of rows, and the gradients along with them in the forward pass, so memory is bounded
    whatever the number of states, and no score is computed twice.

    Args:
        states: what is known at each of P positions; shape (P, D).
        items: vectors of the catalogue; shape (I, D).
        targets: the item that came next; int64, shape (P,).

    Returns:
        A scalar; 0 where there are no positions.
    """
    return _FullSoftmax.apply(states, items, targets)  # type: ignore[no-any-return]


class _FullSoftmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, states: Tensor, items: Tensor, targets: Tensor) -> Tensor:
        to_states, to_items = torch.empty_like(states), torch.zeros_like(items)
        total = states.new_zeros((), dtype=torch.float32)
        rows = max(1, _ENTRIES // len(items))
        for chunk in range(0, len(states), rows):
            part = slice(chunk, chunk + rows)
            scores = (states[part] @ items.T).float()  # (rows, I)
            target = targets[part, None]
            normaliser = scores.logsumexp(dim=1, keepdim=True)
            total += (normaliser - scores.gather(1, target)).sum()
            surprise = scores.sub_(normaliser).exp_()  # the chance of each item, then its gradient
            surprise.scatter_add_(1, target, -torch.ones_like(target, dtype=surprise.dtype))
            surprise = surprise.to(items.dtype)
            to_states[part] = surprise @ items
            to_items.addmm_(surprise.T, states[part])
        ctx.save_for_backward(to_states, to_items)
        ctx.n = max(1, len(states))
        return total / ctx.n

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        to_states, to_items = ctx.saved_tensors
        scale = (gradients[0] / ctx.n).to(to_states.dtype)
        return to_states * scale, to_items * scale, None
