"""Which stores a customer has at hand, how far they are, and how often each was visited."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from ibis import _
from scipy.spatial import KDTree

from omniretail.schema import DataError, Tables

PLACE = ("x_km", "y_km")


@dataclass(frozen=True)
class StoreChoices:
    """N customers who visited a store, K stores at hand to each.

    Attributes:
        user_id: raw; shape (N,).
        store_id: raw, nearest first; shape (N, K).
        km: as the crow flies; shape (N, K).
        visits: shape (N, K).
        elsewhere: visits to stores that are not at hand, or not in the table of stores.
    """

    user_id: np.ndarray
    store_id: np.ndarray
    km: np.ndarray
    visits: np.ndarray
    elsewhere: int


def store_choices(tables: Tables, at_hand: int = 16) -> StoreChoices:
    """Count visits to the nearest stores, of customers whose place is known.

    Args:
        tables: with places (``x_km``, ``y_km``) of users and stores.
        at_hand: K; fewer where there are fewer stores.

    Raises:
        DataError: where places are not known, or of nobody who visited a store.
    """
    for name, table in (("users", tables.users), ("stores", tables.stores)):
        if table is None or not set(PLACE) <= set(table.columns):
            raise DataError(f"{tables.card.title}: {name} have no place (x_km, y_km); source=simulate has")
    if not {"store_id", "basket_id"} <= set(tables.events.columns):
        raise DataError(f"{tables.card.title}: events name no store_id and basket_id, so no visit can be counted")
    assert tables.users is not None
    assert tables.stores is not None
    visits = tables.events.drop_null("store_id").select("user_id", "store_id", "basket_id").distinct()
    counted = visits.group_by("user_id", "store_id").agg(n=_.count()).to_pandas()
    stores, users = (_placed(each) for each in (tables.stores, tables.users))
    users = users[users.user_id.isin(counted.user_id)].reset_index(drop=True)
    counted = counted[counted.user_id.isin(users.user_id)]
    if users.empty or stores.empty:
        raise DataError(f"{tables.card.title}: no customer with a place visited a store, so nobody had a choice")
    nearest: Any = range(1, min(at_hand, len(stores)) + 1)
    km, place = (np.asarray(each) for each in KDTree(stores[list(PLACE)]).query(users[list(PLACE)], k=nearest))
    row = pd.Index(users.user_id).get_indexer(counted.user_id)
    column = pd.Index(stores.store_id).get_indexer(counted.store_id)
    hit = place[row] == column[:, None]
    table = np.zeros(km.shape)
    where, rank = np.nonzero(hit)
    table[row[where], rank] = counted.n.to_numpy()[where]
    return StoreChoices(
        user_id=users.user_id.to_numpy(),
        store_id=stores.store_id.to_numpy()[place],
        km=km,
        visits=table,
        elsewhere=int(counted.n.sum() - table.sum()),
    )


def _placed(table: Any) -> pd.DataFrame:
    key = table.columns[0]
    return table.select(key, *PLACE).drop_null(list(PLACE)).order_by(key).to_pandas()
