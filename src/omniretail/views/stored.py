"""Folds at the second weir: written once as Parquet, read back in a blink."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.ids import Vocabulary
from omniretail.schema import Tables
from omniretail.splits import cutoff
from omniretail.splits.cutoff import Split, Stage
from omniretail.store import digest, stored
from omniretail.views import fold as fold_module
from omniretail.views.fold import Fold, Train, fold
from omniretail.views.histories import PER_EVENT, Histories


def load_fold(tables: Tables, split: Split, stage: Stage, cache: Path) -> Fold:
    """Cut the events and number them, through the cache.

    Raises:
        DataError: where the split leaves nothing to learn from or to judge.
        PermissionError: where the cache cannot be written.
    """
    key = digest(tables.version, _settings(split), stage, fold_module, cutoff, sys.modules[type(split).__module__])
    return _read(
        stored(cache / "folds", key, lambda folder: _write(fold(tables, split.cutoff(tables.events, stage)), folder))
    )


def _settings(split: Split) -> dict:
    assert dataclasses.is_dataclass(split)
    return {"split": type(split).__qualname__, **dataclasses.asdict(split)}


def _write(made: Fold, folder: Path) -> None:
    histories, held_out = made.train.histories, made.held_out.tocoo()
    frames = {
        "events": {
            "user_idx": histories.rows.astype(np.int32),
            **{name: getattr(histories, name) for name in PER_EVENT},
        },
        "users": {"user_id": made.train.users.ids} if made.train.user_table is None else made.train.user_table,
        "items": made.train.item_table,
        "judged": {"user_id": made.user_ids, "user_idx": made.users.user_idx, "n_held_out": made.n_held_out},
        "held_out": {"row": held_out.row, "item_idx": held_out.col},
    }
    for name, columns in frames.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet", index=False)
    words = {name: getattr(made.train, name).ids.tolist() for name in ("event_types", "channels", "stores")}
    facts = {"at": made.train.at, "user_table": made.train.user_table is not None, "zone": made.train.zone, **words}
    (folder / "facts.json").write_text(json.dumps(facts))


def _read(folder: Path) -> Fold:
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("users", "items", "judged", "held_out")}
    users, items = (Vocabulary(pd.Index(frames[f"{name}s"][f"{name}_id"])) for name in ("user", "item"))
    facts = json.loads((folder / "facts.json").read_text())
    histories = _histories(pd.read_parquet(folder / "events.parquet"), len(users), len(items))
    judged, pairs = frames["judged"], frames["held_out"]
    shape = (len(judged), len(items))
    return Fold(
        train=Train(
            histories=histories,
            users=users,
            items=items,
            item_table=frames["items"],
            at=facts["at"],
            user_table=frames["users"] if facts["user_table"] else None,
            event_types=Vocabulary(pd.Index(facts["event_types"])),
            channels=Vocabulary(pd.Index(facts["channels"])),
            stores=Vocabulary(pd.Index(facts["stores"])),
            zone=facts["zone"],
        ),
        user_ids=judged.user_id.to_numpy(),
        users=histories.take(judged.user_idx.to_numpy()),
        held_out=sparse.csr_array((np.ones(len(pairs), dtype=bool), (pairs.row, pairs.item_idx)), shape=shape),
        n_held_out=judged.n_held_out.to_numpy(),
    )


def _histories(events: pd.DataFrame, n_users: int, n_items: int) -> Histories:
    return Histories(
        user_idx=np.arange(n_users, dtype=np.int32),
        offsets=np.searchsorted(events.user_idx, np.arange(n_users + 1)),
        n_items=n_items,
        **{name: events[name].to_numpy() for name in PER_EVENT},
    )
