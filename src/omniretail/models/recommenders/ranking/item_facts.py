"""What is known of each item before a cutoff: how it sells, who buys it again, what it costs."""

import numpy as np
from scipy import sparse

from omniretail.models.recommenders.ranking.pairs import Groups
from omniretail.views.baskets import once_per_basket
from omniretail.views.histories import Histories
from omniretail.views.train import Train

WITHIN_DAYS = (7, 28, 91)
STORE_DAYS = (28, 182)
PRIOR_GAP_DAYS = 30.0
_PRIOR = 5.0  # customers that an item's shares are shrunk with towards those of all items


def item_facts(train: Train) -> dict[str, np.ndarray]:
    """Numbers of each item, NaN where the log does not tell; float32, each of shape (I,)."""
    baskets = once_per_basket(train.histories)
    days = (train.at - baskets.timestamp) / 86_400
    pairs = Groups(baskets.rows * baskets.n_items + baskets.item_idx)
    facts = _popularity(baskets, days) | _again(pairs, baskets.n_items, days) | _ages(baskets, days)
    facts |= _prices(train.histories, (train.at - train.histories.timestamp) / 86_400)
    return {name: each.astype(np.float32) for name, each in facts.items()}


def store_sales(train: Train, days: float) -> sparse.csr_array:
    """Events of each item in each store in the last days before the cutoff; float32, shape (S, I), S >= 1."""
    histories = train.histories
    recent = (histories.store >= 0) & (histories.timestamp >= train.at - days * 86_400)
    place = (histories.store[recent], histories.item_idx[recent])
    shape = (max(len(train.stores), 1), histories.n_items)
    return sparse.csr_array((np.ones(recent.sum(), dtype=np.float32), place), shape=shape)


def _count(items: np.ndarray, n_items: int, weights: np.ndarray | None = None) -> np.ndarray:
    return np.bincount(items, weights=weights, minlength=n_items).astype(np.float64)


def _popularity(baskets: Histories, days: np.ndarray) -> dict[str, np.ndarray]:
    """Customers of each item over several horizons, and whether they become more."""
    n_items, key = baskets.n_items, baskets.rows * baskets.n_items + baskets.item_idx
    users = {each: _count(np.unique(key[days <= each]) % n_items, n_items) for each in WITHIN_DAYS}
    week, month, quarter = users.values()
    return {
        **{f"users_{each}": n for each, n in users.items()},
        "users": _count(np.unique(key) % n_items, n_items),
        "trend_28": np.log1p(month) - np.log1p(quarter * 28 / 91),
        "trend_7": np.log1p(week) - np.log1p(month / 4),
    }


def _again(pairs: Groups, n_items: int, days: np.ndarray) -> dict[str, np.ndarray]:
    """How often those who had an item take it again, in all and in the last 28 days, and after how long."""
    item, first, last, n = pairs.keys % n_items, pairs.first(days), pairs.last(days), pairs.sizes
    before, recent = first > 28, (first > 28) & (_last_before(pairs, days, 28) <= 84)
    gaps = _count(item, n_items, n - 1.0)
    return {
        "repeat_share": _shrunk(_count(item[n > 1], n_items), _count(item, n_items)),
        "again_28": _shrunk(_count(item[before & (last <= 28)], n_items), _count(item[before], n_items)),
        "again_28_recent": _shrunk(_count(item[recent & (last <= 28)], n_items), _count(item[recent], n_items)),
        "baskets_per_user": _count(item, n_items, n) / np.maximum(_count(item, n_items), 1),
        "gap_days": (_count(item, n_items, first - last) + 2 * PRIOR_GAP_DAYS) / (gaps + 2),
    }


def _last_before(pairs: Groups, days: np.ndarray, since: float) -> np.ndarray:
    """Days since the last purchase of each pair that is older than ``since``, inf where there is none; shape (G,)."""
    if not len(pairs.starts):
        return np.zeros(0)
    return np.minimum.reduceat(np.where(days > since, days, np.inf)[pairs.order], pairs.starts)


def _shrunk(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Shares of items, shrunk towards the share of all items."""
    overall = part.sum() / max(whole.sum(), 1)
    return (part + _PRIOR * overall) / (whole + _PRIOR)


def _ages(baskets: Histories, days: np.ndarray) -> dict[str, np.ndarray]:
    groups = Groups(baskets.item_idx.astype(np.int64))
    youngest, oldest = np.full((2, baskets.n_items), np.nan)
    if len(groups.starts):
        youngest[groups.keys] = np.minimum.reduceat(days[groups.order], groups.starts)
        oldest[groups.keys] = np.maximum.reduceat(days[groups.order], groups.starts)
    return {"days_since_sold": youngest, "days_on_sale": oldest}


def _prices(histories: Histories, days: np.ndarray) -> dict[str, np.ndarray]:
    """Mean price and share of it taken off, over all time and of the last 14 days; NaN without amounts."""
    price = histories.value / np.where(histories.quantity > 0, histories.quantity, np.nan)
    off = np.nan_to_num(histories.discount)
    full = histories.value + off
    discount = off / np.where(full > 0, full, np.nan)
    mean_price = _mean(price, histories, days >= 0)
    return {
        "price": mean_price,
        "discount": _mean(discount, histories, days >= 0),
        "discount_14": _mean(discount, histories, days <= 14),
        "price_change_14": _mean(price, histories, days <= 14) / np.where(mean_price > 0, mean_price, np.nan),
    }


def _mean(values: np.ndarray, histories: Histories, chosen: np.ndarray) -> np.ndarray:
    chosen = chosen & np.isfinite(values)
    item = histories.item_idx[chosen]
    n = _count(item, histories.n_items)
    return np.where(n > 0, _count(item, histories.n_items, values[chosen]) / np.maximum(n, 1), np.nan)
