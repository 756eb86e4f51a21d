"""Small fitted models, made once for all tests of the export."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.profiles.coles import CoLES
from omniretail.models.profiles.gru_autoencoder import GRUAutoencoder
from omniretail.models.profiles.next_item import NextItem
from omniretail.models.recommenders.bpr import BPR
from omniretail.models.recommenders.gru4rec import GRU4Rec
from omniretail.models.recommenders.ials import IALS
from omniretail.models.recommenders.lightgcn import LightGCN
from omniretail.models.recommenders.mult_vae import MultVAE
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import random_baskets, train_on
from tests.models.profiles.shop import KINDS

N_ITEMS = 20
BARE = train_on(random_baskets(40, N_ITEMS), N_ITEMS)
RNG = np.random.default_rng(0)
HOURS = np.cumsum(RNG.integers(0, 40, len(BARE.histories.item_idx)))
SHOP: Train = replace(
    BARE,
    histories=replace(BARE.histories, timestamp=3600 * HOURS),
    at=3600 * int(HOURS[-1] + 1),
    user_table=pd.DataFrame({"user_id": range(40), "segment": [f"S{user % 3}" for user in range(40)]}),
)
NEW = Histories.of(
    [[], [[3]], [[5], [1, 5]], [[item % N_ITEMS] for item in range(30)], [], [[2]] * 6, [[7, 8]]], N_ITEMS
)
"""Seven users unknown to training: nothing, one event, two baskets, far more than is read, one thing over and over."""

_ONCE = Training(max_epochs=2)
_SEQUENCE: dict[str, Any] = {"dim": 8, "max_len": 6, "learning_rate": 0.02, "training": _ONCE}
_BASKETS: dict[str, Any] = {"dim": 8, "width": 8, "training": _ONCE}
MODELS: Mapping[str, Callable[[], Any]] = {
    "SASRec": lambda: SASRec(n_blocks=1, **_SEQUENCE),
    "SASRec, all there is": lambda: SASRec(
        n_blocks=1, temperature=0.1, context=["gap", "repeat"], own_items=True, **_SEQUENCE
    ),
    "SASRec, ligr": lambda: SASRec(n_blocks=2, block="ligr", temperature=0.1, **_SEQUENCE),
    "SASRec, one event": lambda: SASRec(**(_SEQUENCE | {"max_len": 1})),
    "GRU4Rec": lambda: GRU4Rec(hidden=6, n_layers=2, context=["gap"], **_SEQUENCE),
    "MultVAE": lambda: MultVAE(hidden=8, latent=3, weighting="log", training=_ONCE),
    "LightGCN": lambda: LightGCN(dim=8, training=_ONCE),
    "TwoTower": lambda: TwoTower(**_SEQUENCE),
    "iALS": lambda: IALS(factors=8),
    "BPR": lambda: BPR(factors=8, iterations=5),
    "NextItem": lambda: NextItem(dim=8, n_blocks=1, max_len=6, training=_ONCE),
    "CoLES": lambda: CoLES(min_len=2, max_len=6, read_len=5, **_BASKETS),
    "CoLES, mean": lambda: CoLES(min_len=2, max_len=6, pooling="mean", **_BASKETS),
    "GRUAutoencoder": lambda: GRUAutoencoder(hidden=8, max_len=6, **_BASKETS),
}
ENCODERS = ("NextItem", "CoLES", "CoLES, mean", "GRUAutoencoder")


def train_of(name: str) -> Train:
    """What a model of that name is fitted on."""
    return KINDS if name in ENCODERS else SHOP


@cache
def fitted(name: str) -> Any:
    """A model of that name."""
    return MODELS[name]().fit(train_of(name))
