"""A small town: who bought what where and when."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.views.histories import Histories
from omniretail.views.train import Train

DAY = 86400
AT = 100 * DAY  # the cutoff, 1970-04-11, a Saturday


def town(visits: Sequence[tuple[int, float, int, list[int]]], n_users: int, n_items: int, n_stores: int) -> Train:
    """A training set of visits (user, days before the cutoff, store or -1, items); each is one basket."""
    own = [sorted((v for v in visits if v[0] == user), key=lambda v: -v[1]) for user in range(n_users)]
    fresh = Histories.of([[basket for *_, basket in each] for each in own], n_items)
    ordered = [visit for each in own for visit in each]
    lengths = [len(visit[3]) for visit in ordered]
    histories = replace(
        fresh,
        user_idx=np.arange(n_users, dtype=np.int32),
        timestamp=np.repeat([AT - int(visit[1] * DAY) for visit in ordered], lengths).astype(np.int64),
        store=np.repeat([visit[2] for visit in ordered], lengths).astype(np.int32),
    )
    items = pd.DataFrame({"item_id": np.arange(n_items), "category": [f"c{i % 3}" for i in range(n_items)]})
    users, names = Vocabulary.of(range(n_users)), Vocabulary.of([f"s{i}" for i in range(n_stores)])
    return Train(histories, users, Vocabulary.of(range(n_items)), items, AT, stores=names)


VISITS = [
    (0, 90, 1, [0]),
    (0, 80, 1, [0]),
    (0, 70, 1, [4]),
    (0, 9, 0, [0, 1]),
    (0, 8, 0, [1]),
    (0, 3, 2, [2]),
    (1, 5, 1, [3, 4]),
    (2, 2, -1, [5]),
    (3, 95, 3, [5]),
]
TOWN = town(VISITS, n_users=5, n_items=6, n_stores=4)
"""User 0 goes to s0 of late, to s1 over all, last to s2; 1 to s1; 2 nowhere known; 3 to s3, long ago; 4 nowhere."""


def shown(policy: object, train: Train = TOWN) -> list[list[int]]:
    """Which items the policy leaves each user, best first, where the lower number is the better item."""
    users = train.histories
    scores = np.tile(-np.arange(users.n_items, dtype=np.float32), (len(users), 1))
    left = policy.fit(train)(scores, users)  # type: ignore[attr-defined]
    return [[int(item) for item in np.argsort(-row, kind="stable") if row[item] > -np.inf] for row in left]
