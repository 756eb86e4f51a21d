"""Small logs of two channels whose truth is known."""

import numpy as np
import pandas as pd

from omniretail.schema import Tables
from omniretail.splits.fixed import Fixed
from omniretail.splits.target_channel import TargetChannel
from omniretail.views.fold import Fold, fold
from tests.conftest import tables_of

TASTES, OF_EACH = 8, 6


def two_channel_log(telling: bool, n_users: int = 240, seed: int = 0) -> Tables:
    """Customers with one of eight tastes, each item of channel ``a`` made for one of them.

    In ``a`` a customer took a stray item and some of their taste, of which one more is held out. In ``b`` they took
    three items: of their taste where the channel is ``telling``, of any where ``a`` itself tells enough. A tenth has
    never been in ``b``.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(n_users):
        taste = user % TASTES
        own = [f"a{taste * OF_EACH + item}" for item in rng.permutation(OF_EACH)]
        stray = f"a{rng.integers(TASTES * OF_EACH)}"
        rows += [(user, item, "a", "train") for item in {*own[2 : 3 if telling else 5], stray} - {own[1]}]
        rows.append((user, own[1], "a", "test"))
        shown = taste if telling else rng.integers(TASTES)
        if user % 10:
            rows += [(user, f"b{shown * OF_EACH + item}", "b", "train") for item in rng.permutation(OF_EACH)[:3]]
    log = pd.DataFrame(rows, columns=["user_id", "item_id", "channel", "fold"])
    return tables_of(log.assign(timestamp=pd.Timestamp(0), event_type="purchase"))


def two_channel_fold(telling: bool) -> Fold:
    """The same, cut: ``a`` is judged."""
    tables = two_channel_log(telling)
    return fold(tables, TargetChannel("a", Fixed(val_share=None)).cutoff(tables.events, "test"))
