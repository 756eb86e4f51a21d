"""What a run saves of a fitted model, so that it can be registered: one function for each kind of service.

A task's yaml names its function under ``outputs.bundle``; the task hands over the arguments in ``Evaluation.bundle``.
"""

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.serving.bundle import write_recommender
from omniretail.serving.profile_bundle import ProfileBundle, write_profile
from omniretail.serving.response import write_response
from omniretail.views.train import Train

log = logging.getLogger(__name__)


def save_bundle(save: Callable[..., None], folder: Path, parts: Mapping[str, Any] | None) -> None:
    """Write a bundle; a model that cannot be saved is evaluated all the same, and the log says why it is not.

    Args:
        save: one of the functions below.
        folder: made; removed again where the model cannot be saved.
        parts: its arguments; None: the task says that there is nothing to save.
    """
    if parts is None:
        return
    try:
        save(folder, **parts)
    except (TypeError, ValueError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        log.warning("the fitted model is not saved with the run, so it cannot be registered: %s", error)


def save_recommender(folder: Path, model: Any, policy: Any, train: Train) -> None:
    """Save a recommender with the policy under which it was evaluated; both fitted on ``train``."""
    write_recommender(folder, model, policy, train)


def save_response(folder: Path, model: Any, rows: pd.DataFrame) -> None:
    """Save a response model; the columns of ``rows`` are what a request gives."""
    write_response(folder, model, rows)


def save_profile(folder: Path, model: Any, train: Train, probes: Sequence[Any], table: Any, tags: Any) -> None:
    """Save an encoder with probes of what customers do next and with tags over the profile table."""
    write_profile(folder, ProfileBundle(model, train, probes, table, tags))
