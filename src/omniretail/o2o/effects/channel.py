"""The effect of shopping online on the basket, separated from which customers shop online."""

from dataclasses import dataclass

import numpy as np

from omniretail.core.errors import SettingsError

_STEPS, _TOLERANCE = 100, 1e-10


@dataclass(frozen=True)
class ChannelEffect:
    """Logarithm of the ratio of lines of a visit online to those of a visit in a store.

    Attributes:
        naive: between the channels' means; confounded with who shops where.
        within: between visits of the same customer.
        error: standard error of ``within``, robust to baskets that vary more than Poisson's.
        customers: with visits in both channels; the others do not contribute to ``within``.
    """

    naive: float
    within: float
    error: float
    customers: int


def channel_effect(customer: np.ndarray, online: np.ndarray, lines: np.ndarray) -> ChannelEffect:
    """The ratio of basket sizes online and in stores, over all customers and within each.

    Within is the Poisson model with a rate per customer, from its conditional likelihood, in which those rates cancel
    (Hausman, Hall and Griliches, Econometrica 1984).

    Args:
        customer: of each visit, from 0; shape (V,).
        online: True where the visit was online; shape (V,).
        lines: that the basket holds; shape (V,).

    Raises:
        SettingsError: where no customer has visits in both channels.
    """
    n = int(customer.max(initial=-1)) + 1
    visits, bought = (
        np.stack([np.bincount(customer[part], weight[part], n) for part in (online, ~online)])
        for weight in (np.ones(len(lines)), lines)
    )
    both = (visits > 0).all(axis=0) & (bought.sum(axis=0) > 0)
    if not both.any():
        raise SettingsError(
            "no customer bought in both channels: so a channel's effect within customers cannot be estimated"
        )
    visits, bought = visits[:, both], bought[:, both]
    effect = 0.0
    for _ in range(_STEPS):
        slope, curve = _slopes(visits, bought, effect)
        step = float(np.clip(slope.sum() / curve, -1, 1))
        effect += step
        if abs(step) < _TOLERANCE:
            break
    slope, curve = _slopes(visits, bought, effect)
    naive = np.log(lines[online].mean()) - np.log(lines[~online].mean())
    return ChannelEffect(float(naive), effect, float(np.sqrt((slope**2).sum()) / curve), int(both.sum()))


def _slopes(visits: np.ndarray, bought: np.ndarray, effect: float) -> tuple[np.ndarray, float]:
    """The share of a customer's lines that is online is logistic: gradient of each, and minus the second derivative."""
    share = visits[0] * np.exp(effect) / (visits[0] * np.exp(effect) + visits[1])
    total = bought.sum(axis=0)
    return bought[0] - total * share, float((total * share * (1 - share)).sum())
