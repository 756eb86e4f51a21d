"""Vectors of customers who are in several channels, exchanged between them."""

import torch
from torch import Tensor


def exchanged(users: Tensor, degree: Tensor, own_share: float) -> Tensor:
    """Each customer's vectors after an exchange with those of the other channels (Liu et al., CIKM 2020).

    The common part is the mean of a customer's vectors, weighted by the number of their items in each channel. The own
    part of a channel is ``own_share`` times its vector plus ``1 - own_share`` times the mean of the others'. The result
    is the mean of both parts; in a channel where the customer has no item it is the common part.

    Args:
        users: a vector per channel and customer; shape (C, B, D).
        degree: number of the customer's items in the channel; shape (C, B).
        own_share: in [0, 1].

    Returns:
        Shape (C, B, D); a customer of one channel only has their vector of that channel, unchanged, in all.
    """
    present = (degree > 0).to(users.dtype)[..., None]  # (C, B, 1)
    common = (users * degree[..., None]).sum(0) / degree.sum(0).clamp_min(1)[:, None]  # (B, D)
    n_others = present.sum(0) - present
    others = ((users * present).sum(0) - users * present) / n_others.clamp_min(1)
    own = torch.where(n_others > 0, own_share * users + (1 - own_share) * others, users)
    return torch.where(present > 0, (common + own) / 2, common)
