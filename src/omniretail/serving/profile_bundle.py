"""A fitted profile encoder as a service needs it, with tags and probes; see ``serving.bundle``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.saving import load, save
from omniretail.profile.propensity.saved_probes import SavedProbe, read_probes, write_probes
from omniretail.profile.tags.rules import Condition, tags_from
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.serving.bundle import read_saved_train, write_description
from omniretail.serving.manifest import seal
from omniretail.views.train import Train
from omniretail.views.train_io import write_train


@dataclass(frozen=True)
class ProfileBundle:
    """All that answers a request for a profile.

    Attributes:
        encoder: fitted.
        train: histories before the cutoff, in the encoder's catalogue.
        probes: one per question about the next window, calibrated.
        table: the profile table from which tags are computed, fitted.
        tags: with their thresholds.
    """

    encoder: ProfileEncoder
    train: Train
    probes: Sequence[SavedProbe]
    table: Any
    tags: LearnedTags


def write_profile(folder: Path, bundle: ProfileBundle) -> str:
    """Save a fitted encoder and what belongs to it; the sha256 of its manifest is returned.

    Attributes of customers (age, income, …) are left out.

    Args:
        folder: made; must be empty or not there.
        bundle: see ``ProfileBundle``.
    """
    train = bundle.train
    for part in ("model", "train"):
        (folder / part).mkdir(parents=True)
    save(bundle.encoder, folder / "model")
    write_train(replace(train, user_table=None), folder / "train")
    write_probes(bundle.probes, folder)
    save(bundle.table, folder / "table")
    (folder / "tags.json").write_text(json.dumps(_rules(bundle.tags), indent=1, ensure_ascii=False))
    write_description(folder, "profile", bundle.encoder, {"at": train.at, "n_users": len(train.users)})
    return seal(folder)


def read_profile(folder: Path) -> ProfileBundle:
    """Read what ``write_profile`` wrote; the files are to be checked before."""
    return ProfileBundle(
        encoder=load(folder / "model"),
        train=read_saved_train(folder / "train"),
        probes=read_probes(folder),
        table=load(folder / "table"),
        tags=LearnedTags(tuple(tags_from(json.loads((folder / "tags.json").read_text()))), {}, {}),
    )


def _rules(learned: LearnedTags) -> dict[str, Any]:
    """Rules as a yaml has them, with quantiles replaced by the thresholds that were learned."""
    return {
        tag.name: {
            "label": tag.label,
            "definition": tag.definition,
            "window": tag.window,
            "all": [_bounds(learned, each) for each in tag.conditions],
        }
        for tag in learned.tags
    }


def _bounds(learned: LearnedTags, condition: Condition) -> dict[str, Any]:
    bounds = {"above": condition.above, "below": condition.below}
    numbers = {name: learned.threshold(condition.feature, each) for name, each in bounds.items() if each is not None}
    return {"feature": condition.feature, **numbers}
