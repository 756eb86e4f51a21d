"""The features of candidates, group by group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from omniretail.models.recommenders.ranking.affinity import affinity_features
from omniretail.models.recommenders.ranking.item_facts import STORE_DAYS, item_facts, store_sales
from omniretail.models.recommenders.ranking.own_history import history_features
from omniretail.models.recommenders.ranking.own_store import store_features
from omniretail.models.recommenders.ranking.pairs import Pairs
from omniretail.models.recommenders.ranking.user_features import clock_features, user_features
from omniretail.views.histories import Histories
from omniretail.views.item_attributes import item_attributes
from omniretail.views.train import Train

GROUPS = ("members", "history", "users", "items", "affinity", "stores", "time")
"""``history`` is the user's with the item, ``affinity`` with its category, brand and price band."""


@dataclass(frozen=True)
class RankingFacts:
    """What features read beside the histories: a function of the events before a cutoff.

    Attributes:
        at: the cutoff, seconds since 1970; int64, shape ().
        zone: of the customers' clocks; shape ().
        items: see ``item_facts``.
        level_names: of item attributes; shape (L,).
        item_values: index of each item's value on each level, -1 where it has none; shape (I, L).
        stores: by horizon, events of each item in each store, shape (S, I), S >= 1.
    """

    at: np.ndarray
    zone: np.ndarray
    items: Mapping[str, np.ndarray]
    level_names: np.ndarray
    item_values: np.ndarray
    stores: Mapping[str, sparse.csr_array]

    @classmethod
    def of(cls, train: Train, levels: Sequence[str]) -> "RankingFacts":
        """Facts as of the cutoff of a training set.

        Args:
            train: the training set.
            levels: columns of the item table; those that it lacks are ignored.
        """
        names, _, _, values = item_attributes(train, levels)
        stores = {str(days): store_sales(train, days) for days in STORE_DAYS}
        return cls(np.array(train.at), np.array(train.zone), item_facts(train), names, values, stores)

    def features(self, users: Histories, pairs: Pairs, groups: Sequence[str]) -> dict[str, np.ndarray]:
        """All groups but ``members``, each feature of shape (P,)."""
        at = users.as_of(int(self.at))
        columns: dict[str, np.ndarray] = {}
        if "history" in groups:
            columns |= history_features(users, at, pairs, self.items["gap_days"])
        if "users" in groups:
            columns |= _named("user", {name: each[pairs.row] for name, each in user_features(users, at).items()})
        if "items" in groups:
            columns |= _named("item", {name: each[pairs.item] for name, each in self.items.items()})
        if "affinity" in groups:
            popularity = self.items["users_28"]
            columns |= affinity_features(users, at, pairs, self.item_values, self.level_names, popularity)
        if "stores" in groups:
            columns |= store_features(users, at, pairs, dict(self.stores))
        if "time" in groups:
            clock = clock_features(at, str(self.zone))
            columns |= {name: each[pairs.row] for name, each in clock.items()}
        return columns


def _named(prefix: str, columns: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{prefix}_{name}": each for name, each in columns.items()}
