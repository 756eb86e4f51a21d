"""Customers of two kinds, with shops, prices and days, drawn at random."""

from dataclasses import replace

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import random_baskets, train_on

N_ITEMS = 20
DAY = 24 * 3600


def two_kinds(n_users: int = 60, seed: int = 0) -> tuple[Train, np.ndarray]:
    """Half of the customers take even items, half odd ones, and each its own few of them; and the kind of each."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n_users) % 2
    baskets = [
        [(2 * rng.integers(0, N_ITEMS // 2, rng.integers(1, 5)) + own).tolist() for _ in range(rng.integers(4, 12))]
        for own in kind
    ]
    return with_circumstances(train_on(baskets, N_ITEMS), seed), kind


def with_circumstances(train: Train, seed: int = 0) -> Train:
    """The same with departments, three stores, prices and a basket every few days."""
    rng = np.random.default_rng(seed)
    n = len(train.histories.item_idx)
    table = train.item_table.assign(department=np.where(np.arange(len(train.items)) % 2, "odd", "even"))
    histories = replace(
        train.histories,
        timestamp=train.histories.timestamp * 3 * DAY + 18 * 3600,
        store=rng.integers(0, 3, n).astype(np.int32),
        quantity=rng.integers(1, 4, n).astype(np.float32),
        value=rng.gamma(2, 2, n).astype(np.float32),
        discount=np.where(rng.random(n) < 0.3, 0.5, 0.0).astype(np.float32),
    )
    at = int(histories.timestamp.max()) + DAY
    return replace(
        train, histories=histories, item_table=table, stores=Vocabulary.of(range(3)), at=at, zone="Asia/Tokyo"
    )


BARE = train_on(random_baskets(40, N_ITEMS), N_ITEMS)
"""Items and their order, and nothing else."""
ORDER_ONLY = replace(BARE, zone="")
KINDS, KIND = two_kinds()
ODD_LOTS = Histories.of([[], [[3]], [[3], [4, 5]], [[item % N_ITEMS] for item in range(300)], []], N_ITEMS)
"""Customers not in training: nothing, one line, two baskets, very many baskets; no store, no price."""


def kind_of_the_nearest(vectors: np.ndarray, kind: np.ndarray) -> float:
    """Share of customers whose nearest other customer is of their kind."""
    centred = vectors - vectors.mean(0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    cosine = unit @ unit.T - 9 * np.eye(len(unit))
    return float((kind[cosine.argmax(1)] == kind).mean())


def no_columns(train: Train) -> Train:
    """The same without attributes of the items."""
    return replace(train, item_table=pd.DataFrame({"item_id": train.items.ids}))
