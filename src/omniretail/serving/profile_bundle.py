"""A fitted encoder of profiles as a service needs it, with tags and probes; see ``serving.bundle``."""

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
from omniretail.serving.bundle import write_facts
from omniretail.serving.manifest import seal
from omniretail.views.train import Train
from omniretail.views.train_io import read_train, write_train


@dataclass(frozen=True)
class Profiling:
    """All that answers a request for a profile.

    Attributes:
        encoder: fitted.
        train: what customers did before the moment of the bundle, in the encoder's numbering.
        promisers: one per question of what happens next.
        table: the profile table that tags are told from, fitted.
        tags: with their thresholds.
    """

    encoder: ProfileEncoder
    train: Train
    promisers: Sequence[SavedProbe]
    table: Any
    tags: LearnedTags


def write_profile(folder: Path, parts: Profiling) -> str:
    """Keep a fitted encoder and what belongs to it; the sha256 of its manifest is returned.

    What is known of customers beyond their events (age, income, …) is left out.

    Args:
        folder: made; must be empty or not there.
        parts: see ``Profiling``.
    """
    for part in ("model", "train"):
        (folder / part).mkdir(parents=True)
    save(parts.encoder, folder / "model")
    write_train(replace(parts.train, user_table=None), folder / "train")
    write_probes(parts.promisers, folder)
    save(parts.table, folder / "table")
    (folder / "tags.json").write_text(json.dumps(_told(parts.tags), indent=1, ensure_ascii=False))
    write_facts(folder, "profile", parts.encoder, {"at": parts.train.at, "n_users": len(parts.train.users)})
    return seal(folder)


def read_profile(folder: Path) -> Profiling:
    """Read what ``write_profile`` wrote; files are to be checked before."""
    return Profiling(
        encoder=load(folder / "model"),
        train=read_train(folder / "train"),
        promisers=read_probes(folder),
        table=load(folder / "table"),
        tags=LearnedTags(tuple(tags_from(json.loads((folder / "tags.json").read_text()))), {}, {}),
    )


def _told(learned: LearnedTags) -> dict[str, Any]:
    """Rules as a yaml would have them, with the numbers that quantiles were learned to be."""
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
    given = {"above": condition.above, "below": condition.below}
    bounds = {word: learned.threshold(condition.feature, bound) for word, bound in given.items() if bound is not None}
    return {"feature": condition.feature, **bounds}
