"""The weights of a RecBole model as named arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from omniretail.models.recommenders.recbole.library import torch

_OTHER = "other:"


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """Weights, and the tensors of RecBole's ``other_parameter``."""
    others = {_OTHER + key: value for key, value in model.other_parameter().items() if torch().is_tensor(value)}
    learned = {**model.state_dict(), **others}
    return {key: value.detach().cpu().contiguous().numpy().copy() for key, value in learned.items()}


def put_in(model: Any, weights: Mapping[str, np.ndarray]) -> None:
    """Load the result of ``weights_of`` into an untrained model."""
    learned = {key: torch().from_numpy(np.array(value)) for key, value in weights.items()}
    model.load_state_dict({key: value for key, value in learned.items() if not key.startswith(_OTHER)})
    others = {key.removeprefix(_OTHER): value for key, value in learned.items() if key.startswith(_OTHER)}
    model.load_other_parameter({key: value.to(model.device) for key, value in others.items()})
