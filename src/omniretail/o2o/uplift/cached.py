"""Rows of campaigns through the cache: made once per campaign, shared by stages, models and runs."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from omniretail.core.cache import cached, digest
from omniretail.models.profiles import table
from omniretail.o2o.uplift import experiment_rows, reaction_features
from omniretail.o2o.uplift.experiment_rows import Experiment, experiment, stacked
from omniretail.schema import Tables
from omniretail.splits import cutoff
from omniretail.views import fold
from omniretail.views.profile import from_histories

_CODE = (experiment_rows, reaction_features, table, from_histories, fold, cutoff)


def load_experiment(
    tables: Tables, offers: pd.DataFrame, levels: Sequence[str], cache: Path, reactions: bool = False
) -> Experiment:
    """``experiment`` through the cache.

    Raises:
        PermissionError: where the cache cannot be written.
    """
    return stacked([_campaign(tables, offers.iloc[[at]], levels, cache, reactions) for at in range(len(offers))])


def _campaign(tables: Tables, offer: pd.DataFrame, levels: Sequence[str], cache: Path, reactions: bool) -> Experiment:
    key = digest(tables.version, offer.to_numpy().tolist(), list(levels), reactions, *_CODE)
    folder = cached(cache / "campaigns", key, lambda empty: _write(experiment(tables, offer, levels, reactions), empty))
    outcome = pd.read_parquet(folder / "outcome.parquet")
    return Experiment(pd.read_parquet(folder / "rows.parquet"), outcome.treated.to_numpy(), outcome.y.to_numpy())


def _write(made: Experiment, folder: Path) -> None:
    made.rows.to_parquet(folder / "rows.parquet")
    pd.DataFrame({"treated": made.treated, "y": made.y}).to_parquet(folder / "outcome.parquet")
