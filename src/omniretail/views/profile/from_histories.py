"""From histories to the profile table: the arrays become rows for the engine, and its rows come back in order."""

import ibis
import numpy as np
import pandas as pd

from omniretail.core.engine import connect
from omniretail.views.histories import AMOUNTS, Histories
from omniretail.views.profile.table import profile_table, word_table

_DAY_S = 24 * 3600


def profile_frames(users: Histories, at: int, zone: str, item_word: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The fixed features of each customer, and what they bought by word.

    Args:
        users: histories of B customers.
        at: the moment of looking, seconds since 1970.
        zone: of the customers' clocks.
        item_word: each item's word on each of L levels, -1 where it has none; shape (I, L).

    Returns:
        A row per customer, NaN where their log cannot say, shape (B, FIXED); and the long form of ``word_table``, its
        ``user_id`` the row of the customer.
    """
    connect()
    if not len(users.item_idx):
        columns = ibis.memtable(_rows(users.take([-1]), at, zone, item_word))
        return _in_order(profile_table(columns).to_pandas(), len(users)), _no_words()
    events = ibis.memtable(_rows(users, at, zone, item_word))
    fixed = _in_order(profile_table(events).to_pandas(), len(users))
    if not item_word.shape[1]:
        return fixed, _no_words()
    words = word_table(events, [f"level_{number}" for number in range(item_word.shape[1])]).to_pandas()
    return fixed, words.sort_values(["user_id", "word"], kind="stable", ignore_index=True)


def _in_order(table: pd.DataFrame, n: int) -> pd.DataFrame:
    return table.set_index("user_id").reindex(np.arange(n)).astype(np.float64).reset_index(drop=True)


def _no_words() -> pd.DataFrame:
    return pd.DataFrame({"user_id": [], "word": [], "share": [], "lines_91": [], "days_since": []}).astype(
        {"user_id": np.int64, "word": np.int64}
    )


def _rows(users: Histories, at: int, zone: str, item_word: np.ndarray) -> pd.DataFrame:
    known = {name: getattr(users, name) for name in AMOUNTS if np.isfinite(getattr(users, name)).any()}
    rows = pd.DataFrame(
        {
            "user_id": users.rows,
            "item_id": users.item_idx,
            "basket": users.basket,
            "days_ago": (at - users.timestamp) / _DAY_S,
            "clock": _clock(users.timestamp, zone),
            **{name: values.astype(np.float64) for name, values in known.items()},
        }
    )
    if (users.store >= 0).any():
        rows["store_id"] = pd.array(np.where(users.store >= 0, users.store, 0), dtype="Int32")
        rows.loc[users.store < 0, "store_id"] = pd.NA
    for level, word in enumerate(item_word.T):
        rows[f"level_{level}"] = pd.array(word[users.item_idx], dtype="Int32")
        rows.loc[word[users.item_idx] < 0, f"level_{level}"] = pd.NA
    return rows


def _clock(seconds: np.ndarray, zone: str) -> pd.Series:
    utc = pd.Series(pd.to_datetime(seconds, unit="s"))
    return utc if zone == "UTC" else utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
