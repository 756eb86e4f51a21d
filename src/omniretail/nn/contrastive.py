"""Contrastive losses: vectors of one owner attract, vectors of different owners repel each other."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

ContrastiveLoss = Literal["softmax", "margin"]


def softmax_contrast(vectors: Tensor, owner: Tensor, temperature: float) -> Tensor:
    """Cross-entropy of each other vector of the same owner among all of other owners and itself.

    InfoNCE (van den Oord et al., 2018) with several positives, each on its own, as in SupCon (Khosla et al., NeurIPS
    2020).

    Args:
        vectors: of unit length; shape (V, D).
        owner: shape (V,).
        temperature: of the cosines.

    Returns:
        Mean over pairs of one owner; a scalar, zero where there is no pair.
    """
    cosine = vectors @ vectors.T / temperature
    same = owner[:, None] == owner
    pair = same & ~torch.eye(len(owner), dtype=torch.bool, device=owner.device)
    lowest = torch.finfo(cosine.dtype).min  # minus infinity gives a NaN gradient where there are no others
    others = cosine.masked_fill(same, lowest).logsumexp(dim=1, keepdim=True)
    cross_entropy = F.softplus(others - cosine)  # -log(e^s / (e^s + sum of others))
    return cross_entropy[pair].sum() / pair.sum().clamp_min(1)


def margin_contrast(vectors: Tensor, owner: Tensor, margin: float, hardest: int) -> Tensor:
    """Squared distance of pairs of one owner, and how far the nearest of other owners come within the margin.

    The loss of CoLES (Babaev et al., SIGMOD 2022), after Hadsell et al. (CVPR 2006), with hard negatives.

    Args:
        vectors: of unit length; shape (V, D).
        owner: shape (V,).
        margin: distance beyond which other owners cost nothing.
        hardest: nearest vectors of other owners that count, for each vector.

    Returns:
        Mean over pairs of one owner and hard negatives; a scalar.
    """
    squared = (2 - 2 * vectors @ vectors.T).clamp_min(1e-8)
    same = owner[:, None] == owner
    pair = same & ~torch.eye(len(owner), dtype=torch.bool, device=owner.device)
    nearest = squared.masked_fill(same, torch.inf).topk(min(hardest, len(owner)), dim=1, largest=False).values
    near = F.relu(margin - nearest.sqrt()).square()
    return (squared[pair].sum() + near.sum()) / (pair.sum() + near.numel()).clamp_min(1)
