"""Views that leak, each in a way that has happened to somebody."""

import hydra
import numpy as np
import pandas as pd
from omegaconf import DictConfig

from omniretail.audit.as_of import AsOf
from omniretail.config import CONFIGS


def compose_audit(*overrides: str) -> DictConfig:
    """The settings of ``scripts/audit.py``."""
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("audit", overrides=list(overrides))


def visits_ever(as_of: AsOf) -> pd.DataFrame:
    """Counts in the whole log instead of before the cutoff."""
    events = as_of.tables.events.to_pandas()
    before = events[events.timestamp < as_of.at]
    counted = events.groupby("user_id").basket_id.nunique()
    users = np.sort(before.user_id.unique())
    honest = before.groupby("user_id").basket_id.nunique().reindex(users).to_numpy()
    return pd.DataFrame({"user_id": users, "visits": honest, "visits_ever": counted.reindex(users).to_numpy()})


def scaled(as_of: AsOf) -> dict[str, np.ndarray]:
    """Honest counts, divided by a mean over customers of the whole log."""
    counted = as_of.train.histories.lengths
    return {"lines": counted / len(as_of.tables.events.to_pandas())}


def nothing(as_of: AsOf) -> dict[str, np.ndarray]:
    """Depends on nothing."""
    return {"one": np.ones(3)}
