"""Views that leak, each in a way that has happened to somebody."""

import numpy as np
import pandas as pd

from omniretail.audit.as_of import AsOf


def visits_ever(known: AsOf) -> pd.DataFrame:
    """Counts in the whole log, where those before the moment were meant."""
    events = known.tables.events.to_pandas()
    before = events[events.timestamp < known.at]
    counted = events.groupby("user_id").basket_id.nunique()
    users = np.sort(before.user_id.unique())
    honest = before.groupby("user_id").basket_id.nunique().reindex(users).to_numpy()
    return pd.DataFrame({"user_id": users, "visits": honest, "visits_ever": counted.reindex(users).to_numpy()})


def scaled(known: AsOf) -> dict[str, np.ndarray]:
    """Honest counts, divided by a mean over customers of the whole log."""
    counted = known.train.histories.lengths
    return {"lines": counted / len(known.tables.events.to_pandas())}


def nothing(known: AsOf) -> dict[str, np.ndarray]:
    """Stands still whatever happens."""
    return {"one": np.ones(3)}
