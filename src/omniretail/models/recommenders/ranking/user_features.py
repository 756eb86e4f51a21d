"""What is known of each user: columns of the profile table, counted on arrays so that a request is answered at once."""

import numpy as np
import pandas as pd

from omniretail.models.recommenders.ranking.pairs import Groups, days_ago
from omniretail.views.histories import Histories


def user_features(users: Histories, at: np.ndarray) -> dict[str, np.ndarray]:
    """Features of B users, NaN where their log does not tell; each of shape (B,).

    Those that bear a name of ``views.profile.dictionary`` have its meaning; every event counts as a purchase.

    Args:
        users: histories.
        at: time at which each is served, seconds since 1970; shape (B,).
    """
    rows, n, days = users.rows, len(users), days_ago(users, at)
    visits = Groups(rows * (int(users.basket.max(initial=0)) + 1) + users.basket)
    visitor, visit_days, lines = visits.first(rows), visits.first(days), visits.sizes
    count = np.bincount(visitor, minlength=n).astype(np.float64)
    some = np.where(count > 0, count, np.nan)
    oldest, newest = _ends(users, days)
    spend, discount = (np.bincount(rows, np.nan_to_num(each), n) for each in (users.value, users.discount))
    known = np.isfinite(users.value).any()
    items = Groups(rows * users.n_items + users.item_idx)
    return {
        "recency_days": newest,
        "tenure_days": oldest,
        "visits": count,
        "visits_28": np.bincount(visitor, visit_days <= 28, n),
        "visits_91": np.bincount(visitor, visit_days <= 91, n),
        "gap_mean_days": (oldest - newest) / np.where(count > 1, count - 1, np.nan),
        "basket_lines_mean": np.bincount(visitor, lines, n) / some,
        "lines": users.lengths.astype(np.float64),
        "lines_91": np.bincount(rows, days <= 91, n),
        "items": np.bincount(items.first(rows), minlength=n).astype(np.float64),
        "repeat_share": _repeat_share(users),
        "basket_value_mean": spend / some if known else np.full(n, np.nan),
        "discount_share": discount / np.where(spend + discount > 0, spend + discount, np.nan),
    }


def _ends(users: Histories, days: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Days since each user's first and last event; two of shape (B,)."""
    first, last = np.full((2, len(users)), np.nan)
    some = users.lengths > 0
    first[some], last[some] = days[users.offsets[:-1][some]], days[users.offsets[1:][some] - 1]
    return first, last


def _repeat_share(users: Histories) -> np.ndarray:
    """Share of lines with an item bought on an earlier visit; shape (B,)."""
    groups = Groups(users.rows * users.n_items + users.item_idx)
    first = np.empty(len(users.item_idx), dtype=users.basket.dtype)
    first[groups.order] = np.repeat(groups.first(users.basket), groups.sizes)
    again = np.bincount(users.rows, users.basket > first, len(users))
    return again / np.where(users.lengths > 0, users.lengths, np.nan)


def clock_features(at: np.ndarray, zone: str) -> dict[str, np.ndarray]:
    """Week of the month, month, weekday and hour at which each user is served; each of shape (B,).

    All are NaN in data without times.

    Args:
        at: seconds since 1970; shape (B,).
        zone: IANA name; empty where the data has no times.
    """
    names = ("week_of_month", "month", "weekday", "hour")
    if not zone:
        return dict.fromkeys(names, np.full(len(at), np.nan))
    clock = pd.DatetimeIndex(pd.to_datetime(at, unit="s", utc=True)).tz_convert(zone)
    columns = ((clock.day - 1) // 7, clock.month, clock.day_of_week, clock.hour)
    return {name: np.asarray(each, dtype=np.float64) for name, each in zip(names, columns, strict=True)}
