"""A training set as Parquet, for the cache of folds and for models that are served."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary
from omniretail.views.histories import PER_EVENT, Histories
from omniretail.views.train import Train

_WORDS = ("event_types", "channels", "stores")


def write_train(train: Train, folder: Path) -> None:
    """Write ``events``, ``users`` and ``items`` as Parquet and the rest as ``facts.json``; the folder is there."""
    histories = train.histories
    events = {name: getattr(histories, name) for name in PER_EVENT}
    frames = {
        "events": {"user_idx": histories.rows.astype(np.int32), **events},
        "users": {"user_id": train.users.ids} if train.user_table is None else train.user_table,
        "items": train.item_table,
    }
    for name, columns in frames.items():
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet", index=False)
    words = {name: getattr(train, name).ids.tolist() for name in _WORDS}
    facts = {"at": train.at, "user_table": train.user_table is not None, "zone": train.zone, **words}
    (folder / "facts.json").write_text(json.dumps(facts))


def read_train(folder: Path) -> Train:
    """Read what ``write_train`` wrote."""
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in ("users", "items")}
    users, items = (Vocabulary(pd.Index(frames[f"{name}s"][f"{name}_id"])) for name in ("user", "item"))
    facts = json.loads((folder / "facts.json").read_text())
    words = {name: Vocabulary(pd.Index(facts[name])) for name in _WORDS}
    return Train(
        histories=_histories(pd.read_parquet(folder / "events.parquet"), len(users), len(items)),
        users=users,
        items=items,
        item_table=frames["items"],
        at=facts["at"],
        user_table=frames["users"] if facts["user_table"] else None,
        zone=facts["zone"],
        **words,
    )


def _histories(events: pd.DataFrame, n_users: int, n_items: int) -> Histories:
    return Histories(
        user_idx=np.arange(n_users, dtype=np.int32),
        offsets=np.searchsorted(events.user_idx, np.arange(n_users + 1)),
        n_items=n_items,
        **{name: events[name].to_numpy() for name in PER_EVENT},
    )
