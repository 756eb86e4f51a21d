"""Stores on a street, whose customers have known habits."""

from dataclasses import replace

import numpy as np

from omniretail.views.stores.visit_log import DAY, Places, StoreLog, VisitQueries
from omniretail.views.stores.visits import Visits

AT = 200 * DAY + 5 * 3600  # midnight in New York; day 200 is a Monday, 1970-07-20
ZONE = "Etc/GMT+5"


def log_of(visits: list[tuple[int, float, int]], n_users: int, n_stores: int) -> StoreLog:
    """A log of (customer, days before the cutoff, store)."""
    ordered = sorted(visits, key=lambda visit: (visit[0], -visit[1]))
    row, ago, store = (np.array(each) for each in zip(*ordered, strict=True)) if ordered else (np.zeros(0, int),) * 3
    return StoreLog(Visits(row, store, (AT - ago * DAY).astype(np.int64)), n_users, n_stores, AT, ZONE)


def queries_of(visits: list[tuple[int, float, int]]) -> VisitQueries:
    """Queries (customer, days after the cutoff, store)."""
    row, ahead, store = (np.array(each) for each in zip(*sorted(visits), strict=True))
    return VisitQueries(Visits(row, store, (AT + ahead * DAY).astype(np.int64)), row)


def street(n_users: int = 120, n_stores: int = 6, days: int = 150, seed: int = 0) -> tuple[StoreLog, VisitQueries]:
    """Each customer has a store for mornings and one for evenings, and moves house after a quarter of the time.

    Returns:
        The log at the cutoff, and the visits of the 28 days after it.
    """
    rng = np.random.default_rng(seed)
    visits = []
    for user in range(n_users):
        homes = rng.integers(n_stores, size=(2, 2))  # before and after moving; morning and evening
        for day in np.flatnonzero(rng.random(days + 28) < 0.3):
            evening = int(rng.random() < 0.5)
            store = homes[int(day >= days // 4), evening]
            if rng.random() < 0.1:
                store = rng.integers(n_stores)
            visits.append((user, day - days + (18 if evening else 9) / 24, int(store)))
    log = log_of([(user, -when, store) for user, when, store in visits if when < 0], n_users, n_stores)
    return log, queries_of([visit for visit in visits if visit[1] >= 0])


def placed(log: StoreLog) -> StoreLog:
    """The same, with stores a kilometre apart along a line and every customer living at store 0 but the last one."""
    home = np.zeros((log.n_users, 2))
    home[-1] = np.nan
    store = np.column_stack([np.arange(log.n_stores, dtype=float), np.zeros(log.n_stores)])
    return replace(log, places=Places(home, store, ("x", "y")))
