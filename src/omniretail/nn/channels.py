"""Vectors of customers who are in several channels, exchanged between them."""

import torch
from torch import Tensor


def exchanged(users: Tensor, degree: Tensor, own_share: float) -> Tensor:
    """Each customer's vectors after those of the other channels have told theirs (Liu et al., CIKM 2020).

    What channels have in common is the mean of a customer's vectors, each weighing as many items as they took there.
    What stays a channel's own is ``own_share`` of its vector and the rest of the mean of the others'. The result is the
    mean of the two; for a channel in which the customer took nothing it is what the others have in common.

    Args:
        users: a vector per channel and customer; shape (C, B, D).
        degree: items that the customer took in the channel; shape (C, B).
        own_share: in [0, 1].

    Returns:
        Shape (C, B, D); as given where a customer is in one channel only, and there.
    """
    there = (degree > 0).to(users.dtype)[..., None]  # (C, B, 1)
    common = (users * degree[..., None]).sum(0) / degree.sum(0).clamp_min(1)[:, None]  # (B, D)
    n_others = there.sum(0) - there
    others = ((users * there).sum(0) - users * there) / n_others.clamp_min(1)
    own = torch.where(n_others > 0, own_share * users + (1 - own_share) * others, users)
    return torch.where(there > 0, (common + own) / 2, common)
