"""Folds at the second weir: written once as Parquet, read back in a blink."""

import dataclasses
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.core.cache import cached, digest
from omniretail.schema import Tables
from omniretail.splits import cutoff
from omniretail.splits.cutoff import Split, Stage
from omniretail.views import fold as fold_module
from omniretail.views.fold import Fold, fold
from omniretail.views.train_io import read_train, write_train


def load_fold(tables: Tables, split: Split, stage: Stage, cache: Path) -> Fold:
    """Cut the events and number them, through the cache.

    Raises:
        DataError: where the split leaves nothing to learn from or to judge.
        PermissionError: where the cache cannot be written.
    """
    key = digest(tables.version, _settings(split), stage, fold_module, cutoff, sys.modules[type(split).__module__])
    return _read(
        cached(cache / "folds", key, lambda folder: _write(fold(tables, split.cutoff(tables.events, stage)), folder))
    )


def _settings(split: Split) -> dict:
    assert dataclasses.is_dataclass(split)
    return {"split": type(split).__qualname__, **dataclasses.asdict(split)}


def _write(made: Fold, folder: Path) -> None:
    write_train(made.train, folder)
    held_out = made.held_out.tocoo()
    frames = {
        "judged": {"user_id": made.user_ids, "user_idx": made.users.user_idx, "n_held_out": made.n_held_out},
        "held_out": {"row": held_out.row, "item_idx": held_out.col},
    }
    for name, columns in frames.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet", index=False)


def _read(folder: Path) -> Fold:
    train = read_train(folder)
    judged, pairs = (pd.read_parquet(folder / f"{name}.parquet") for name in ("judged", "held_out"))
    shape = (len(judged), len(train.items))
    return Fold(
        train=train,
        user_ids=judged.user_id.to_numpy(),
        users=train.histories.take(judged.user_idx.to_numpy()),
        held_out=sparse.csr_array((np.ones(len(pairs), dtype=bool), (pairs.row, pairs.item_idx)), shape=shape),
        n_held_out=judged.n_held_out.to_numpy(),
    )
