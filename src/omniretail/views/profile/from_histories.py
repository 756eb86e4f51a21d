"""The profile table of customers whose histories are arrays."""

import ibis
import numpy as np
import pandas as pd

from omniretail.core.engine import connect, one_at_a_time
from omniretail.views.histories import AMOUNTS, Histories
from omniretail.views.profile.table import attribute_table, profile_table

_DAY_S = 24 * 3600


@one_at_a_time
def profile_frames(
    users: Histories, at: int | np.ndarray, zone: str, item_values: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The fixed features of each customer, and their purchases by attribute value.

    Args:
        users: histories of B customers.
        at: the time as of which customers are profiled, seconds since 1970; one for all, or of shape (B,).
        zone: of the customers' clocks.
        item_values: index of each item's value on each of L levels, -1 where it has none; shape (I, L).

    Returns:
        A row per customer, NaN where their log does not tell, shape (B, FIXED); and the long form of
        ``attribute_table``, whose ``user_id`` is the row of the customer.
    """
    connect()
    users = users.purchases()
    if not len(users.item_idx):
        columns = ibis.memtable(_rows(users.take([-1]), 0, zone, item_values))
        return _in_order(profile_table(columns).to_pandas(), len(users)), _no_values()
    events = ibis.memtable(_rows(users, at, zone, item_values))
    fixed = _in_order(profile_table(events).to_pandas(), len(users))
    if not item_values.shape[1]:
        return fixed, _no_values()
    long = attribute_table(events, [f"level_{number}" for number in range(item_values.shape[1])]).to_pandas()
    return fixed, long.sort_values(["user_id", "attribute_value"], kind="stable", ignore_index=True)


def _in_order(table: pd.DataFrame, n: int) -> pd.DataFrame:
    return table.set_index("user_id").reindex(np.arange(n)).astype(np.float64).reset_index(drop=True)


def _no_values() -> pd.DataFrame:
    columns = {"user_id": np.int64, "attribute_value": np.int64, "share": float, "lines_91": float, "days_since": float}
    return pd.DataFrame({name: np.zeros(0, dtype) for name, dtype in columns.items()})


def _rows(users: Histories, at: int | np.ndarray, zone: str, item_values: np.ndarray) -> pd.DataFrame:
    amounts = {name: getattr(users, name) for name in AMOUNTS if np.isfinite(getattr(users, name)).any()}
    rows = pd.DataFrame(
        {
            "user_id": users.rows,
            "item_id": users.item_idx,
            "basket": users.basket,
            "days_ago": (np.repeat(np.broadcast_to(at, len(users)), users.lengths) - users.timestamp) / _DAY_S,
            "clock": _clock(users.timestamp, zone),
            **{name: values.astype(np.float64) for name, values in amounts.items()},
        }
    )
    if (users.store >= 0).any():
        rows["store_id"] = pd.array(np.where(users.store >= 0, users.store, 0), dtype="Int32")
        rows.loc[users.store < 0, "store_id"] = pd.NA
    for level, value in enumerate(item_values.T):
        rows[f"level_{level}"] = pd.array(value[users.item_idx], dtype="Int32")
        rows.loc[value[users.item_idx] < 0, f"level_{level}"] = pd.NA
    return rows


def _clock(seconds: np.ndarray, zone: str) -> pd.Series:
    utc = pd.Series(pd.to_datetime(seconds, unit="s"))
    return utc if zone == "UTC" else utc.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
