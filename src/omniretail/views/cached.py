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
from omniretail.splits.cutoff import Cutoff, Split, Stage, drawn
from omniretail.splits.file_order import in_file_order
from omniretail.views import fold as fold_module
from omniretail.views import histories, train_io
from omniretail.views.fold import Catalogue, Fold, fold
from omniretail.views.histories import Histories
from omniretail.views.train import Train, Validation
from omniretail.views.train_io import read_histories, read_train, write_histories, write_train

_CODE = (ids, signals, baskets, cutoff, file_order, fold_module, histories, train_io)


def load_fold(tables: Tables, split: Split, stage: Stage, cache: Path, catalogue: Catalogue = "sold") -> Fold:
    """``fold`` of a split's line, through the cache.

    Raises:
        DataError: where the split leaves no event to learn from or to judge by.
        PermissionError: where the cache cannot be written.
    """
    ordered = replace(tables, events=in_file_order(tables.events)) if tables.in_file_order else tables
    key = digest(tables.version, *parts_of(split), stage, catalogue, *_CODE)

    def write(folder: Path) -> None:
        cut = drawn(split, ordered.feedback, stage)
        _write(fold(tables, cut, catalogue), cut, folder)

    return _read(cached(cache / "folds", key, write))


def _write(new: Fold, cut: Cutoff, folder: Path) -> None:
    write_train(new.train, folder)
    _write_users(new.users, new.held_out, cut, folder / "judged")
    frame = pd.DataFrame({"user_id": new.user_ids, "n_held_out": new.n_held_out})
    frame.to_parquet(folder / "judged.parquet", index=False)
    chosen_by = new.train.validation
    if chosen_by is not None and cut.validation is not None:
        _write_users(chosen_by.users, chosen_by.held_out, cut.validation, folder / "validation")


def _read(folder: Path) -> Fold:
    train = read_train(folder)
    if (folder / "validation").is_dir():
        train = replace(train, validation=Validation(*_read_users(folder / "validation", train)))
    users, held_out = _read_users(folder / "judged", train)
    judged = pd.read_parquet(folder / "judged.parquet")
    return Fold(train, judged.user_id.to_numpy(), users, held_out, judged.n_held_out.to_numpy())


def _write_users(users: Histories, held_out: sparse.csr_array, cut: Cutoff, folder: Path) -> None:
    """Users and what they are judged by; their events only where those are not the ones in training."""
    folder.mkdir()
    if cut.histories is not None:
        write_histories(users, folder / "events.parquet")
    pairs = held_out.tocoo()
    frames = {
        "users": {"user_idx": users.user_idx, "served_at": users.served_at},
        "held_out": {"row": pairs.row, "item_idx": pairs.col},
    }
    for name, columns in frames.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet", index=False)


def _read_users(folder: Path, train: Train) -> tuple[Histories, sparse.csr_array]:
    users, pairs = (pd.read_parquet(folder / f"{name}.parquet") for name in ("users", "held_out"))
    shape, user_idx = (len(users), len(train.items)), users.user_idx.to_numpy()
    events = folder / "events.parquet"
    histories = read_histories(events, *shape) if events.exists() else train.histories.take(user_idx)
    held_out = sparse.csr_array((np.ones(len(pairs), dtype=bool), (pairs.row, pairs.item_idx)), shape=shape)
    return replace(histories, user_idx=user_idx, served_at=users.served_at.to_numpy()), held_out
