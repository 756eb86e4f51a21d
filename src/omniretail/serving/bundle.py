"""A fitted recommender as a service needs it: plain files, sealed; no code, no pickle.

``bundle.json`` says what it is; ``model`` holds what ``models.saving`` writes; ``train`` what customers did before the
cutoff and the item table, so that known customers are served by their id.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.models.recommenders.popular import Popular
from omniretail.models.saving import load, save
from omniretail.serving.manifest import BundleError, check, seal
from omniretail.serving.policy_io import read_policy, write_policy
from omniretail.views.stores.visits import sold
from omniretail.views.train import Train
from omniretail.views.train_io import read_train, write_train

FACTS = "bundle.json"
_FORMAT = 1
_RECENT_WEEKS = 8


@dataclass(frozen=True)
class Recommendable:
    """All that answers a request for recommendations.

    Attributes:
        model: fitted.
        policy: fitted; takes scores and users, see ``models.recommend.Policy``.
        train: what customers did before the cutoff, and the catalogue.
        popular: by how many customers items were taken; float32, shape (I,).
        by_channel: events of each channel with each item; float32, shape (C, I).
        by_store: events of each store with each item in the last weeks; float32, shape (S, I).
    """

    model: Any
    policy: Any
    train: Train
    popular: np.ndarray
    by_channel: np.ndarray
    by_store: sparse.csr_array


def write_recommender(folder: Path, model: Any, policy: Any, train: Train) -> str:
    """Keep a fitted recommender; the sha256 of its manifest is returned.

    What is known of customers beyond their events (age, income, …) is left out: no model asks for it by the id.

    Args:
        folder: made; must be empty or not there.
        model: fitted on ``train``.
        policy: fitted on ``train``.
        train: what the model learned from.
    """
    for part in ("model", "train"):
        (folder / part).mkdir(parents=True)
    save(model, folder / "model")
    write_policy(policy, folder)
    write_train(replace(train, user_table=None), folder / "train")
    weeks = _RECENT_WEEKS if train.zone else None
    stores = sold(train, weeks)
    popular, channels = Popular().fit(train).popularity_, _by_channel(train)
    parts = {name: np.asarray(getattr(stores, name)) for name in ("data", "indices", "indptr")}
    np.savez(folder / "counts.npz", allow_pickle=False, popular=popular, channels=channels, **parts)
    write_facts(
        folder, "recommender", model, {"at": train.at, "n_users": len(train.users), "n_items": len(train.items)}
    )
    return seal(folder)


def recommendable(model: Any, policy: Any, train: Train) -> Recommendable:
    """All that answers a request, of a model that was just fitted."""
    return Recommendable(
        model=model,
        policy=policy,
        train=train,
        popular=Popular().fit(train).popularity_,
        by_channel=_by_channel(train),
        by_store=sold(train, _RECENT_WEEKS if train.zone else None),
    )


def read_recommender(folder: Path) -> Recommendable:
    """Read what ``write_recommender`` wrote; files are to be checked before, see ``kind_of``."""
    train = read_train(folder / "train")
    with np.load(folder / "counts.npz", allow_pickle=False) as counts:
        popular, channels = counts["popular"], counts["channels"]
        parts = (counts["data"], counts["indices"], counts["indptr"])
    return Recommendable(
        model=load(folder / "model"),
        policy=read_policy(folder),
        train=train,
        popular=popular,
        by_channel=channels,
        by_store=sparse.csr_array(parts, shape=(len(train.stores), len(train.items))),
    )


def kind_of(folder: Path, expected: str | None = None) -> str:
    """What a bundle is, after every file has been checked: recommender, profile or response.

    Args:
        folder: of the bundle.
        expected: see ``manifest.check``.

    Raises:
        BundleError: where it cannot be trusted, or was written by another version's format.
    """
    check(folder, expected)
    facts = facts_of(folder)
    if facts.get("format") != _FORMAT:
        raise BundleError(f"{FACTS} is of format {facts.get('format')}, this omniretail reads {_FORMAT}; update it")
    return str(facts["kind"])


def facts_of(folder: Path) -> dict[str, Any]:
    """What ``bundle.json`` says.

    Raises:
        BundleError: where there is none.
    """
    path = folder / FACTS
    if not path.is_file():
        raise BundleError(f"{folder} holds no {FACTS}, so it is no model kept by omniretail")
    return json.loads(path.read_text())


def write_facts(folder: Path, kind: str, model: Any, more: dict[str, Any]) -> None:
    """Write ``bundle.json``."""
    facts = {"format": _FORMAT, "kind": kind, "model": getattr(model, "label", type(model).__name__), **more}
    (folder / FACTS).write_text(json.dumps(facts, indent=1) + "\n")


def _by_channel(train: Train) -> np.ndarray:
    shape = (len(train.channels), len(train.items))
    cell = train.histories.channel.astype(np.int64) * shape[1] + train.histories.item_idx
    return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float32)
