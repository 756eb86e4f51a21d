"""From a model's settings to a trained network, and from saved weights back to one."""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from omniretail.core.cache import digest
from omniretail.models.saving import settings_of
from omniretail.models.training.inner_validation import hold_out, outer_validation
from omniretail.models.training.settings import Training
from omniretail.views.histories import PER_EVENT, Histories
from omniretail.views.train import Validation


class NeuralModel(Protocol):
    """Settings of every model that is trained here."""

    learning_rate: float
    weight_decay: float
    seed: int
    training: Training


def trained(
    model: NeuralModel,
    make: Callable[[], Any],
    histories: Histories,
    *also: np.ndarray,
    validation: Validation | None = None,
) -> Any:
    """Make a model's task and train it on the histories; ready for scoring, on the CPU.

    Args:
        model: whose settings are used.
        make: returns the untrained task; its initial weights are drawn by the model's seed.
        histories: the training events.
        also: what else the result depends on, so that a checkpoint of other data is not mistaken for this run's.
        validation: of the training set, which then takes the place of events held out from the histories.

    Raises:
        SettingsError: where training diverges, or the inner validation has nothing to hold out.
    """
    from omniretail.models.training.fit import fit_network  # here, so that loading and scoring do without Lightning

    training, name = model.training, type(model).__name__
    learned, inner = histories, None
    if training.patience and validation is not None:
        inner = outer_validation(histories, validation, training.validation_users, model.seed)
        also = (*also, validation.users.item_idx, validation.held_out.indices)
    elif training.patience:
        learned, inner = hold_out(histories, training.validation_users, model.seed)
    with torch.random.fork_rng():
        torch.manual_seed(model.seed)
        task = make()
    task.learn_from(learned)
    if training.compile:
        for network in task.children():
            network.compile(dynamic=True)
    fit_network(
        task,
        training,
        name=name,
        key=f"{name.lower()}-{digest(_settings(model), _fingerprint(histories, *also))}",
        learning_rate=model.learning_rate,
        weight_decay=model.weight_decay,
        seed=model.seed,
        inner=inner,
    )
    return task


def weights_of(task: nn.Module) -> dict[str, np.ndarray]:
    """Learned weights by name."""
    return {name: value.detach().cpu().numpy().copy() for name, value in task.state_dict().items()}


def with_weights(task: nn.Module, weights: Mapping[str, np.ndarray]) -> Any:
    """An untrained task with weights from ``weights_of``, ready for scoring."""
    task.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return task.eval()


def _settings(model: NeuralModel) -> dict[str, Any]:
    """Everything that decides the result; the folder of checkpoints does not."""
    return settings_of(model) | {"training": settings_of(dataclasses.replace(model.training, checkpoints=None))}


def _fingerprint(histories: Histories, *also: np.ndarray) -> str:
    sha = hashlib.sha256(str(histories.n_items).encode())
    for name in ("offsets", *PER_EVENT):
        sha.update(np.ascontiguousarray(getattr(histories, name)).tobytes())
    for array in also:
        sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()
