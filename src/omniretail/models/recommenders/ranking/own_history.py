"""The user's own history with each candidate: how often, how recently, how regularly."""

import numpy as np

from omniretail.models.recommenders.ranking.pairs import Groups, Pairs, days_ago
from omniretail.views.baskets import baskets_ago, once_per_basket
from omniretail.views.histories import Histories

HALF_LIFE_DAYS = (7, 21, 60, 180)
HALF_LIFE_BASKETS = (3, 10, 30)
WITHIN_DAYS = (14, 28, 91)
_SMALL = 0.5  # baskets, so that the share of one that is long ago is not one


def history_features(users: Histories, at: np.ndarray, pairs: Pairs, typical_gap: np.ndarray) -> dict[str, np.ndarray]:
    """Features of each pair from the baskets of the user that hold the item; each of shape (P,).

    Counts are 0, and times NaN, where the user never had the item; gaps need two baskets.

    Args:
        users: histories of B users.
        at: time at which each is served, seconds since 1970; shape (B,).
        pairs: P candidates.
        typical_gap: days between two purchases of an item by one customer; shape (I,).
    """
    baskets = once_per_basket(users)
    weights = _weights(days_ago(baskets, at), baskets_ago(baskets))
    groups = Groups(baskets.rows * pairs.n_items + baskets.item_idx)
    counts = {name: groups.lookup(pairs.keys, groups.sum(each), 0) for name, each in weights.items()}
    times = _times(groups, days_ago(baskets, at), baskets_ago(baskets))
    times = {name: groups.lookup(pairs.keys, each, np.nan) for name, each in times.items()}
    totals = _totals(baskets, weights)
    shares = {f"{name}_share": each / (totals[name][pairs.row] + _SMALL) for name, each in counts.items()}
    since, n = times["days_since"], counts["baskets"]
    own_gap = np.where(np.isfinite(times["gap_days"]), times["gap_days"], typical_gap[pairs.item])
    overdue = {
        "overdue": since / np.maximum(times["gap_days"], _SMALL),
        "overdue_typical": since / np.maximum(typical_gap[pairs.item], 1),
        "overdue_any": since / np.maximum(own_gap, 1),
        "share_since_first": n / (times["baskets_since_first"] + 1),
        "overdue_baskets": times["baskets_since"] * n / (times["baskets_since_first"] + 1),
    }
    return counts | times | shares | overdue


def _weights(days: np.ndarray, baskets: np.ndarray) -> dict[str, np.ndarray]:
    """What each event adds to a pair's counts; each of shape (E,)."""
    decay = {f"decayed_{each}d": 0.5 ** (days / each) for each in HALF_LIFE_DAYS}
    decay |= {f"decayed_{each}b": 0.5 ** (baskets / each) for each in HALF_LIFE_BASKETS}
    return {"baskets": np.ones(len(days))} | decay | {f"baskets_{each}": days <= each for each in WITHIN_DAYS}


def _times(groups: Groups, days: np.ndarray, baskets: np.ndarray) -> dict[str, np.ndarray]:
    """Of each user and item; shape (G,)."""
    first, last, n = groups.first(days), groups.last(days), groups.sizes
    return {
        "days_since": last,
        "days_since_first": first,
        "baskets_since": groups.last(baskets),
        "baskets_since_first": groups.first(baskets),
        "gap_days": np.where(n > 1, (first - last) / np.maximum(n - 1, 1), np.nan),
        "last_gap_days": np.where(n > 1, groups.last(days, back=1) - last, np.nan),
    }


def _totals(baskets: Histories, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same weights over each user's baskets; each of shape (B,)."""
    rows = baskets.rows
    visits = Groups(rows * (int(baskets.basket.max(initial=0)) + 1) + baskets.basket)
    visitor = visits.first(rows)
    return {name: np.bincount(visitor, visits.first(each), len(baskets)) for name, each in weights.items()}
