"""A fitted recommender as a service needs it: plain files, sealed; no code, no pickle.

``bundle.json`` describes the bundle; ``model`` holds what ``models.saving`` writes; ``train`` the histories before the
cutoff and the item table, so that known customers are served by their id.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.models.recommenders.popular import newcomer_scores
from omniretail.models.saving import load, save
from omniretail.models.sparse_ops import checked_csr
from omniretail.serving.manifest import BundleError, check, seal
from omniretail.serving.policy_io import read_policy, write_policy
from omniretail.views.stores.visits import sold
from omniretail.views.train import Train
from omniretail.views.train_io import read_train, write_train

DESCRIPTION = "bundle.json"
_FORMAT = 2
_RECENT_WEEKS = 8


@dataclass(frozen=True)
class RecommenderBundle:
    """All that answers a request for recommendations.

    Attributes:
        model: fitted.
        policy: fitted; takes scores and users, see ``models.top_k.Policy``.
        train: histories before the cutoff, and the catalogue.
        popular: scores for customers without a history, see ``newcomer_scores``; float32, shape (I,).
        by_channel: events of each channel with each item; float32, shape (C, I).
        by_store: events of each store with each item in the last weeks; float32, shape (S, I).
    """

    model: Any
    policy: Any
    train: Train
    popular: np.ndarray
    by_channel: np.ndarray
    by_store: sparse.csr_array


def recommender_bundle(model: Any, policy: Any, train: Train) -> RecommenderBundle:
    """The bundle of a model and a policy that were fitted on ``train``."""
    return RecommenderBundle(
        model=model,
        policy=policy,
        train=train,
        popular=newcomer_scores(model, train),
        by_channel=_by_channel(train),
        by_store=sold(train, _RECENT_WEEKS if train.zone else None),
    )


def write_recommender(folder: Path, model: Any, policy: Any, train: Train) -> str:
    """Save a fitted recommender; the sha256 of its manifest is returned.

    Attributes of customers (age, income, …) are left out: no model needs them to serve a known customer.

    Args:
        folder: made; must be empty or not there.
        model: fitted on ``train``.
        policy: fitted on ``train``.
        train: what the model learned from.
    """
    for part in ("model", "train"):
        (folder / part).mkdir(parents=True)
    bundle = recommender_bundle(model, policy, train)
    save(model, folder / "model")
    write_policy(policy, folder)
    write_train(replace(train, user_table=None), folder / "train")
    by_store = {name: np.asarray(getattr(bundle.by_store, name)) for name in ("data", "indices", "indptr")}
    np.savez(folder / "counts.npz", allow_pickle=False, popular=bundle.popular, channels=bundle.by_channel, **by_store)
    sizes = {"at": train.at, "n_users": len(train.users), "n_items": len(train.items)}
    write_description(folder, "recommender", model, sizes)
    return seal(folder)


def read_recommender(folder: Path) -> RecommenderBundle:
    """Read what ``write_recommender`` wrote; the files are to be checked before, see ``kind_of``."""
    train = read_saved_train(folder / "train")
    with np.load(folder / "counts.npz", allow_pickle=False) as counts:
        popular, channels = counts["popular"], counts["channels"]
        by_store = (counts["data"], counts["indices"], counts["indptr"])
    return RecommenderBundle(
        model=load(folder / "model"),
        policy=read_policy(folder),
        train=train,
        popular=popular,
        by_channel=channels,
        by_store=checked_csr(*by_store, shape=(len(train.stores), len(train.items))),
    )


def read_saved_train(folder: Path) -> Train:
    """Read the histories of a bundle.

    Raises:
        BundleError: where an event is of an item, store, channel or type that the bundle does not list: models use
            these as places in their arrays.
    """
    train = read_train(folder)
    histories = train.histories
    sizes = {"item_idx": train.items, "store": train.stores, "channel": train.channels, "event_type": train.event_types}
    for name, vocabulary in sizes.items():
        places = getattr(histories, name)
        if len(places) and (places.min() < (0 if name == "item_idx" else -1) or places.max() >= len(vocabulary)):
            raise BundleError(f"events.parquet: {name} is none of {len(vocabulary):,}: refused")
    return train


def kind_of(folder: Path, expected: str | None = None, command: str = "") -> str:
    """The kind of a bundle (recommender, profile, response or uplift), after every file has been checked.

    Args:
        folder: of the bundle.
        expected: see ``manifest.check``.
        command: that trained the model, where it is recorded; an error about an old bundle names it.

    Raises:
        BundleError: where it cannot be trusted, or is of another version's format.
    """
    check(folder, expected)
    description = description_of(folder)
    version = description.get("format")
    if version == 1:
        raise BundleError(
            f"{description.get('model', folder)} was saved by omniretail 0.1: train it again with: "
            f"{command or 'python scripts/train.py model=… source=…'} and register that run"
        )
    if version != _FORMAT:
        raise BundleError(f"{DESCRIPTION} is of format {version}, this omniretail reads {_FORMAT}; update omniretail")
    return str(description["kind"])


def description_of(folder: Path) -> dict[str, Any]:
    """The content of ``bundle.json``.

    Raises:
        BundleError: where there is none, or it is no description.
    """
    path = folder / DESCRIPTION
    if not path.is_file():
        raise BundleError(f"{folder} holds no {DESCRIPTION}, so it is no model saved by omniretail")
    try:
        description = json.loads(path.read_text())
    except (ValueError, RecursionError):
        description = None
    if not isinstance(description, dict) or "kind" not in description:
        raise BundleError(f"{DESCRIPTION} cannot be read: refused")
    return description


def write_description(folder: Path, kind: str, model: Any, more: dict[str, Any]) -> None:
    """Write ``bundle.json``."""
    description = {"format": _FORMAT, "kind": kind, "model": getattr(model, "label", type(model).__name__), **more}
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1) + "\n")


def _by_channel(train: Train) -> np.ndarray:
    shape = (len(train.channels), len(train.items))
    histories = train.histories
    named = histories.channel >= 0
    cell = histories.channel[named].astype(np.int64) * shape[1] + histories.item_idx[named]
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
