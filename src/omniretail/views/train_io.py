"""A training set as files, for the cache and for models that are served."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from omniretail.ids import Vocabulary
from omniretail.signals import Signals
from omniretail.views.histories import PER_EVENT, Histories
from omniretail.views.train import Train

_FEW_VALUES = ("event_type", "channel", "store", "discount", "coupon", "weight", "purchase")
"""Columns that often repeat a value, so that a dictionary is short."""
_VOCABULARIES = ("event_types", "channels", "stores")


def write_train(train: Train, folder: Path) -> None:
    """Write ``events``, ``users`` and ``items`` as Parquet and the rest as ``train.json`` into an existing folder."""
    write_histories(train.histories, folder / "events.parquet")
    frames = {
        "users": {"user_id": train.users.ids} if train.user_table is None else train.user_table,
        "items": train.item_table,
    }
    for name, columns in frames.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet", index=False)
    vocabularies = {name: getattr(train, name).ids.tolist() for name in _VOCABULARIES}
    rest = {"at": train.at, "user_table": train.user_table is not None, "zone": train.zone}
    (folder / "train.json").write_text(json.dumps(rest | vocabularies | {"signals": asdict(train.signals)}))


def write_histories(histories: Histories, file: Path) -> None:
    """Write the events of histories as Parquet, with the row that each belongs to."""
    events = {name: getattr(histories, name) for name in PER_EVENT}
    columns = pa.table({"user_idx": histories.rows.astype(np.int32), **events})
    few: Any = list(_FEW_VALUES)
    pq.write_table(columns, file, compression="snappy", use_dictionary=few)


def read_train(folder: Path) -> Train:
    """Read the files of ``write_train``."""
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("users", "items")}
    users, items = (Vocabulary(pd.Index(frames[f"{name}s"][f"{name}_id"])) for name in ("user", "item"))
    rest = json.loads((folder / "train.json").read_text())
    vocabularies: Any = {name: Vocabulary(pd.Index(rest[name])) for name in _VOCABULARIES}
    return Train(
        histories=read_histories(folder / "events.parquet", len(users), len(items)),
        users=users,
        items=items,
        item_table=frames["items"],
        at=rest["at"],
        user_table=frames["users"] if rest["user_table"] else None,
        zone=rest["zone"],
        signals=Signals(**rest.get("signals", {})),
        **vocabularies,
    )


def read_histories(file: Path, n_users: int, n_items: int) -> Histories:
    """Read the events of ``write_histories``; row u is user index u."""
    events = pq.read_table(file)
    columns = {name: events[name].to_numpy() for name in events.column_names}
    return Histories(
        user_idx=np.arange(n_users, dtype=np.int32),
        offsets=np.searchsorted(columns["user_idx"], np.arange(n_users + 1)),
        n_items=n_items,
        **{name: columns[name] for name in PER_EVENT if name in columns},
    )
