"""Cross-entropy over the whole catalogue, or over shared negatives, in chunks of bounded memory."""

from typing import Any

import torch
from torch import Tensor

from omniretail.nn.losses import NEVER

_ENTRIES = 1 << 21
"""Scores in memory at a time, over the whole catalogue: 8 MiB in float32, which a processor's cache holds."""
_FEW_ENTRIES = 1 << 19
"""The same over shared negatives: 2 MiB, which fit a processor's cache."""


def full_softmax(states: Tensor, items: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of the targets among all items.

    Scores are computed in chunks of rows, and gradients with them in the forward pass, so memory is bounded whatever
    the number of states, and no score is computed twice.

    Args:
        states: of P positions; shape (P, D).
        items: vectors of the catalogue; shape (I, D).
        targets: the next item; int64, shape (P,).

    Returns:
        A scalar; 0 where there are no positions.
    """
    row = torch.arange(len(targets), device=targets.device)
    return _Softmax.apply(states, items[targets], items, row, targets, _ENTRIES)  # type: ignore[no-any-return]


def shared_softmax(states: Tensor, items: Tensor, targets: Tensor, negatives: Tensor) -> Tensor:
    """The value of ``losses.sampled_softmax`` over products, in chunks as in ``full_softmax``, which is much faster.

    Args:
        states: of P positions; shape (P, D).
        items: vectors of the catalogue; shape (I, D).
        targets: int64, shape (P,).
        negatives: shared by all positions; one that is the target weighs nothing; int64, shape (N,).

    Returns:
        A scalar; 0 where there are no positions.
    """
    row, column = (targets[:, None] == negatives).nonzero(as_tuple=True)
    return _Softmax.apply(states, items[targets], items[negatives], row, column, _FEW_ENTRIES)  # type: ignore[no-any-return]


class _Softmax(torch.autograd.Function):
    """Of each state's target (P, D) against others (N, D), without the pairs of row and column, rows ascending."""

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
            highest = torch.maximum(scores.amax(dim=1), target) if scores.shape[1] else target
            weights = scores.sub_(highest[:, None]).exp_()
            of_target = (target - highest).exp()
            normaliser = weights.sum(dim=1) + of_target
            total += (normaliser.log() + highest - target).sum()
            share = (1 / normaliser).to(others.dtype)[:, None]  # on the smaller side of each product
            weights = weights.to(others.dtype)
            to_target = (of_target / normaliser - 1).to(others.dtype)[:, None]
            to_states[part] = (weights @ others) * share + to_target * targets[part]
            to_targets[part] = to_target * states[part]
            to_others.addmm_(weights.T, states[part] * share)
        ctx.save_for_backward(to_states, to_targets, to_others)
        ctx.n = max(1, len(states))
        return total / ctx.n

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        scale = (gradients[0] / ctx.n).to(ctx.saved_tensors[0].dtype)
        to_states, to_targets, to_others = (saved * scale for saved in ctx.saved_tensors)
        return to_states, to_targets, to_others, None, None, None
