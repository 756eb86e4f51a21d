"""The stores nearest to each customer, how far they are, and how often each was visited."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from ibis import _
from scipy.spatial import KDTree

from omniretail.schema import DataError, Tables
from omniretail.splits.baskets import with_basket_numbers

PLACE = ("x_km", "y_km")


@dataclass(frozen=True)
class StoreChoices:
    """N customers who visited a store, and the K stores nearest to each.

    Attributes:
        user_id: raw ids; shape (N,).
        store_id: raw ids, nearest first; shape (N, K).
        km: straight-line distance; shape (N, K).
        visits: number of visits; shape (N, K).
        elsewhere: visits to stores that are not among the nearest, or not in the stores table.
    """

    user_id: np.ndarray
    store_id: np.ndarray
    km: np.ndarray
    visits: np.ndarray
    elsewhere: int


def store_choices(tables: Tables, n_nearest: int = 16) -> StoreChoices:
    """Count visits to the nearest stores, of customers with a place.

    Args:
        tables: with places (``x_km``, ``y_km``) of users and stores.
        n_nearest: K; fewer where there are fewer stores.

    Raises:
        DataError: where users or stores have no places, or no customer with a place visited a store.
    """
    for name, table in (("users", tables.users), ("stores", tables.stores)):
        if table is None or not set(PLACE) <= set(table.columns):
            raise DataError(f"{tables.card.title}: {name} have no places (x_km, y_km); choose source=simulate")
    if "store_id" not in tables.events.columns:
        raise DataError(f"{tables.card.title}: events have no store_id, so no visit can be counted")
    assert tables.users is not None
    assert tables.stores is not None
    numbered = with_basket_numbers(tables.purchases)
    visits = numbered.drop_null("store_id").select("user_id", "store_id", "basket").distinct()
    counted = visits.group_by("user_id", "store_id").agg(n=_.count()).to_pandas()
    stores, users = (_placed(each) for each in (tables.stores, tables.users))
    users = users[users.user_id.isin(counted.user_id)].reset_index(drop=True)
    counted = counted[counted.user_id.isin(users.user_id)]
    if users.empty or stores.empty:
        raise DataError(f"{tables.card.title}: no customer with a place visited a store")
    nearest: Any = range(1, min(n_nearest, len(stores)) + 1)
    km, place = (np.asarray(each) for each in KDTree(stores[list(PLACE)]).query(users[list(PLACE)], k=nearest))
    row = pd.Index(users.user_id).get_indexer(counted.user_id)
    column = pd.Index(stores.store_id).get_indexer(counted.store_id)
    pair, rank = np.nonzero(place[row] == column[:, None])
    n_visits = np.zeros(km.shape)
    n_visits[row[pair], rank] = counted.n.to_numpy()[pair]
    return StoreChoices(
        user_id=users.user_id.to_numpy(),
        store_id=stores.store_id.to_numpy()[place],
        km=km,
        visits=n_visits,
        elsewhere=int(counted.n.sum() - n_visits.sum()),
    )


def _placed(table: Any) -> pd.DataFrame:
    key = table.columns[0]
    return table.select(key, *PLACE).drop_null(list(PLACE)).order_by(key).to_pandas()
