"""Folds through the cache."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail import ids, signals
from omniretail.core.cache import cached, digest, parts_of
from omniretail.schema import Tables
from omniretail.splits import baskets, cutoff, file_order
from omniretail.splits.cutoff import Split, Stage
from omniretail.splits.file_order import in_file_order
from omniretail.views import fold as fold_module
from omniretail.views import histories, train_io
from omniretail.views.fold import Fold, fold
from omniretail.views.train_io import read_train, write_train

_CODE = (ids, signals, baskets, cutoff, file_order, fold_module, histories, train_io)


def load_fold(tables: Tables, split: Split, stage: Stage, cache: Path) -> Fold:
    """``fold`` of a split's cutoff, through the cache.

    Raises:
        DataError: where the split leaves no event to learn from or to judge by.
        PermissionError: where the cache cannot be written.
    """
    ordered = replace(tables, events=in_file_order(tables.events)) if tables.in_file_order else tables
    key = digest(tables.version, *parts_of(split), stage, *_CODE)
    return _read(
        cached(cache / "folds", key, lambda folder: _write(fold(tables, split.cutoff(ordered.feedback, stage)), folder))
    )


def _write(new: Fold, folder: Path) -> None:
    write_train(new.train, folder)
    held_out = new.held_out.tocoo()
    frames = {
        "judged": {"user_id": new.user_ids, "user_idx": new.users.user_idx, "n_held_out": new.n_held_out},
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
