"""A small shop whose customers differ in how often they come and what they buy."""

from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.dataset import Dataset
from omniretail.ids import Vocabulary
from omniretail.profile.probing.probes import Probes
from omniretail.schema import Tables
from omniretail.splits.temporal import Temporal
from tests.conftest import tables_of

END, CUTOFF = pd.Timestamp("2024-07-01"), pd.Timestamp("2024-06-03")
WINDOW = pd.Timedelta(days=28)
SPLIT = Temporal(horizon_days=28, end="2024-07-01")
LEVELS = {"department_propensity": "department", "category_propensity": "category"}
ONE_SEED = Probes(n_seeds=1)
N_USERS, N_ITEMS = 120, 40


def log(seed: int = 0, days: int = 180) -> pd.DataFrame:
    """Customers with low numbers come rarely; even ones buy items of the even department more often."""
    rng = np.random.default_rng(seed)
    visits = rng.poisson(2 + 12 * np.arange(N_USERS) / N_USERS)
    user = np.repeat(np.arange(N_USERS), np.maximum(visits, 1))
    lines = pd.DataFrame({"user_id": user, "basket_id": np.arange(len(user))})
    lines["timestamp"] = END - pd.to_timedelta(rng.integers(1, days * 24, len(user)), unit="h")
    events = lines.loc[lines.index.repeat(rng.integers(1, 4, len(user)).tolist())].reset_index(drop=True)
    own_kind = rng.random(len(events)) < 0.8
    events["item_id"] = 2 * rng.integers(0, N_ITEMS // 2, len(events)) + (events.user_id + ~own_kind) % 2
    events["value"] = (1 + 9 * rng.random(len(events))).round(2)
    return events.assign(event_type="purchase", channel="offline")


def items() -> pd.DataFrame:
    """40 items, two departments, four categories."""
    table = pd.DataFrame({"item_id": np.arange(N_ITEMS)})
    table["department"] = np.where(table.item_id % 2, "odd", "even")
    return table.assign(category="kind " + (table.item_id % 4).astype(str))


def shop(events: pd.DataFrame | None = None) -> Tables:
    return tables_of(log() if events is None else events, items=items())


def dataset(cache: Path, tables: Tables | None = None) -> Dataset:
    """The shop, or other tables, cut by time."""
    return Dataset(tables or shop(), SPLIT, cache)


def window(lines: list[tuple[str, int, float]]) -> pd.DataFrame:
    """Customer, item and value of each event."""
    return pd.DataFrame(lines, columns=["user_id", "item_id", "value"])


def customers(*names: str) -> Vocabulary:
    return Vocabulary.of(list(names))
