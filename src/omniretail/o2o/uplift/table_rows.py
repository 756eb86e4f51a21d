"""Rows of an experiment that is a table: customers are drawn by a hash of their id into learned from and judged."""

from typing import Any

import numpy as np
import pandas as pd
from ibis import _

from omniretail.o2o.uplift.experiment_rows import INDEX, Experiment
from omniretail.schema import Tables
from omniretail.splits.cutoff import Stage

SHARES = {"val": (0.6, 0.8), "test": (0.8, 1.0)}
"""Learned from: the share of customers below the first; judged: those between the two."""
_KEYS = ("user_id", "treated", "outcome", "cost")
_DIGITS = 6


def table_rows(tables: Tables, stage: Stage) -> tuple[Experiment, Experiment]:
    """The customers to learn from, and those to judge by.

    Texts become one column per value that occurs among the customers to learn from.
    """
    assert tables.experiment is not None
    hashed = _.user_id.cast("string").hexdigest("md5").substr(0, _DIGITS)
    frame = tables.experiment.mutate(_place=hashed).order_by("user_id").to_pandas()
    place = frame["_place"].map(lambda digits: int(digits, 16) / 16**_DIGITS)
    first, last = SHARES[stage]
    learned, judged = frame[place < first], frame[(place >= first) & (place < last)]
    x_learned, x_judged = _features(learned), _features(judged)
    same = x_judged.reindex(columns=x_learned.columns, fill_value=0.0)
    return _experiment(learned, x_learned), _experiment(judged, same)


def _features(customers: Any) -> pd.DataFrame:
    return pd.get_dummies(customers.drop(columns=["_place", *(set(_KEYS) & set(customers))]), dtype=float)


def _experiment(frame: Any, rows: pd.DataFrame) -> Experiment:
    index = pd.MultiIndex.from_arrays([frame.user_id, np.full(len(frame), "experiment")], names=INDEX)
    return Experiment(
        rows.astype(np.float64).set_index(index),
        frame.treated.to_numpy(bool),
        frame.outcome.to_numpy(np.float64),
        frame.cost.to_numpy(np.float64) if "cost" in frame else None,
    )
