"""Losses over one target and some negatives per position.

All take ``positive`` (P,), the targets' scores, and ``negative`` (P, N), those of drawn items, and return the mean over
positions. A negative that is the target itself has the score ``NEVER`` and weighs nothing.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

NEVER = -1e4
"""Far below any score, yet finite: minus infinity times a weight of zero is NaN."""

SampledLoss = Callable[[Tensor, Tensor], Tensor]


def sampled_softmax(positive: Tensor, negative: Tensor) -> Tensor:
    """Cross-entropy of the target among itself and the negatives.

    For the logQ correction (Bengio & Senécal, 2008) subtract from each negative's score the logarithm of how often it
    is expected among the N drawn: the sum over negatives then estimates that over the whole catalogue.
    """
    return (torch.cat([positive[:, None], negative], dim=1).logsumexp(dim=1) - positive).mean()


def bce(positive: Tensor, negative: Tensor) -> Tensor:
    """Binary cross-entropy as in SASRec, one negative to a target in expectation: here the mean over N of them."""
    return (F.softplus(-positive) + F.softplus(negative).sum(1) / _n_negatives(negative)).mean()


def gbce(n_items: int, t: float) -> SampledLoss:
    """Generalised binary cross-entropy of gSASRec (Petrov & Macdonald, RecSys 2023).

    Sampling makes the model overconfident in positives; raising their probability to the power of beta corrects that.
    Scores are offset by ``log(beta / N)``, unlike in the paper: at this offset an untrained network has no gradient in
    the mean score, so it need not spend its first epochs lowering all scores. Rankings do not depend on it.

    Args:
        n_items: size of the catalogue from which the negatives are drawn.
        t: 0 is plain binary cross-entropy over all negatives, 1 the full correction; the paper's default is .75.
    """

    def loss(positive: Tensor, negative: Tensor) -> Tensor:
        alpha = negative.shape[1] / max(1, n_items - 1)
        beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
        offset = math.log(beta / negative.shape[1])
        of_positive, of_negative = F.softplus(-positive - offset), F.softplus(negative + offset)
        return ((beta * of_positive + of_negative.sum(1)) / (1 + negative.shape[1])).mean()

    return loss


def bpr(positive: Tensor, negative: Tensor) -> Tensor:
    """Bayesian personalised ranking (Rendle et al., UAI 2009), the mean over negatives."""
    return (F.softplus(negative - positive[:, None]).sum(1) / _n_negatives(negative)).mean()


def top1(positive: Tensor, negative: Tensor) -> Tensor:
    """TOP1 of GRU4Rec (Hidasi et al., ICLR 2016): negatives below the target, and near zero."""
    each = torch.sigmoid(negative - positive[:, None]) + torch.sigmoid(negative.square()) * (negative > NEVER)
    return (each.sum(1) / _n_negatives(negative)).mean()


def top1_max(positive: Tensor, negative: Tensor) -> Tensor:
    """TOP1-max (Hidasi & Karatzoglou, CIKM 2018): TOP1 where high negatives weigh more."""
    each = torch.sigmoid(negative - positive[:, None]) + torch.sigmoid(negative.square())
    return (negative.softmax(dim=1) * each * (negative > NEVER)).sum(1).mean()


def bpr_max(regularization: float = 1.0) -> SampledLoss:
    """BPR-max (Hidasi & Karatzoglou, CIKM 2018), the later GRU4Rec's choice.

    Args:
        regularization: on the squared scores of high negatives.
    """

    def loss(positive: Tensor, negative: Tensor) -> Tensor:
        weight = negative.softmax(dim=1)
        above = (weight * torch.sigmoid(positive[:, None] - negative)).sum(1)
        squared = (weight * (negative > NEVER) * negative.square()).sum(1)
        return (-(above + 1e-24).log() + regularization * squared).mean()

    return loss


def scores_of(states: Tensor, items: Tensor, targets: Tensor, negatives: Tensor) -> tuple[Tensor, Tensor]:
    """Scores of targets and of negatives that all positions share.

    Args:
        states: shape (P, D).
        items: vectors of the catalogue; shape (I, D).
        targets: int64, shape (P,).
        negatives: int64, shape (N,).

    Returns:
        Shapes (P,) and (P, N), the latter ``NEVER`` where a negative is the target.
    """
    positive = (states * items[targets]).sum(1).float()
    negative = (states @ items[negatives].T).float()
    return positive, negative.masked_fill(targets[:, None] == negatives, NEVER)


def log_expected(weights: Tensor, n_drawn: int) -> Tensor:
    """For the logQ correction: the log of each item's expected number of draws; shape (I,).

    Args:
        weights: of the items in the draw, in any unit; shape (I,).
        n_drawn: with replacement.
    """
    return (weights / weights.sum()).clamp_min(1e-12).log() + math.log(n_drawn)


def _n_negatives(negative: Tensor) -> Tensor:
    """Number of negatives that are not the target; shape (P,)."""
    return (negative > NEVER).sum(1).clamp_min(1)
