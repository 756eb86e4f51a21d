"""What a run saves of a fitted model, so that it can be registered: one function for each kind of service.

A task's yaml names its function under ``outputs.bundle``; the task hands over the arguments in ``Evaluation.bundle``.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.models.saving import settings_of
from omniretail.serving.bundle import write_recommender
from omniretail.serving.profile_bundle import ProfileBundle, write_profile
from omniretail.serving.response import write_response
from omniretail.views.train import Train


def unsavable(model: Any) -> str:
    """Why a model cannot be saved, as far as its class and its settings show before it is fitted; empty: it can."""
    name = type(model).__name__
    if not type(model).__module__.startswith("omniretail.models."):
        return f"{name} is not of omniretail.models, from which alone a service loads classes"
    try:
        json.dumps(settings_of(model))
    except (TypeError, AttributeError) as error:
        return f"a setting of {name} cannot be saved: {error}"
    return ""


def save_bundle(save: Callable[..., None], folder: Path, parts: Mapping[str, Any] | None) -> str:
    """Write a bundle; a model that cannot be saved is evaluated all the same.

    Args:
        save: one of the functions below.
        folder: made; removed again where the model cannot be saved.
        parts: its arguments; None: the task says that there is nothing to save.

    Returns:
        Why the model is not saved; empty where it is.
    """
    if parts is None:
        return ""
    try:
        save(folder, **parts)
    except (TypeError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return str(error)
    return ""


def save_recommender(folder: Path, model: Any, policy: Any, train: Train) -> None:
    """Save a recommender with the policy under which it was evaluated; both fitted on ``train``."""
    write_recommender(folder, model, policy, train)


def save_response(folder: Path, model: Any, rows: pd.DataFrame, answers: Sequence[str] = ("probability",)) -> None:
    """Save a response model or an uplift learner; the columns of ``rows`` are what a request gives."""
    write_response(folder, model, rows, answers)


def save_profile(folder: Path, model: Any, train: Train, probes: Sequence[Any], table: Any, tags: Any) -> None:
    """Save an encoder with probes of what customers do next and with tags over the profile table."""
    write_profile(folder, ProfileBundle(model, train, probes, table, tags))
