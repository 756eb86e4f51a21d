"""Cross-entropy over a whole catalogue, or over negatives that all share, without ever holding all scores."""

from typing import Any

import torch
from torch import Tensor

from omniretail.nn.losses import NEVER

_ENTRIES = 1 << 24
"""Scores held at a time over the whole catalogue: 64 MiB in float32."""
_FEW_ENTRIES = 1 << 19
"""Over shared negatives: 2 MiB, which stay in a processor's cache."""


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
    row = torch.arange(len(targets), device=targets.device)
    return _Softmax.apply(states, items[targets], items, row, targets, _ENTRIES)  # type: ignore[no-any-return]


def shared_softmax(states: Tensor, items: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    """The value of ``losses.sampled_softmax`` over products, in chunks like ``full_softmax`` and so much faster.

    Args:
        states: what is known at each of P positions; shape (P, D).
        items: vectors of the catalogue; shape (I, D).
        targets: int64, shape (P,).
        negatives: that all positions share; where one is the target, it weighs nothing; int64, shape (N,).

    Returns:
        A scalar; 0 where there are no positions.
    """
    row, column = (targets[:, None] == negatives).nonzero(as_tuple=True)
    return _Softmax.apply(states, items[targets], items[negatives], row, column, _FEW_ENTRIES)  # type: ignore[no-any-return]


class _Softmax(torch.autograd.Function):
    """Of each state's own target (P, D) against others (N, D), but for the pairs of row and column, rows ascending."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, targets: Tensor, others: Tensor, row: Tensor, column: Tensor, entries: int
    ) -> Tensor:
        to_states, to_targets, to_others = torch.empty_like(states), torch.empty_like(targets), torch.zeros_like(others)
        total = states.new_zeros((), dtype=torch.float32)
        rows = max(1, entries // max(1, len(others)))
        for chunk in range(0, len(states), rows):
            part = slice(chunk, chunk + rows)
            first, last = torch.searchsorted(row, torch.tensor([chunk, chunk + rows], device=row.device)).tolist()
            scores = (states[part] @ others.T).float()  # (rows, N)
            scores[row[first:last] - chunk, column[first:last]] = NEVER
            target = (states[part] * targets[part]).sum(1).float()
            normaliser = torch.logaddexp(target, scores.logsumexp(dim=1))
            total += (normaliser - target).sum()
            surprise = scores.sub_(normaliser[:, None]).exp_().to(others.dtype)  # the chance of each, its gradient
            missing = ((target - normaliser).exp() - 1).to(others.dtype)[:, None]
            to_states[part] = surprise @ others + missing * targets[part]
            to_targets[part] = missing * states[part]
            to_others.addmm_(surprise.T, states[part])
        ctx.save_for_backward(to_states, to_targets, to_others)
        ctx.n = max(1, len(states))
        return total / ctx.n

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        scale = (gradients[0] / ctx.n).to(ctx.saved_tensors[0].dtype)
        to_states, to_targets, to_others = (saved * scale for saved in ctx.saved_tensors)
        return to_states, to_targets, to_others, None, None, None
