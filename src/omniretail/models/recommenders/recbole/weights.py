"""What a RecBole model has learned, as named arrays."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from omniretail.models.recommenders.recbole.library import torch

_BESIDE = "beside:"


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """Weights, and the tensors that RecBole keeps beside them."""
    beside = {_BESIDE + key: value for key, value in model.other_parameter().items() if torch().is_tensor(value)}
    learned = {**model.state_dict(), **beside}
    return {key: value.detach().cpu().contiguous().numpy().copy() for key, value in learned.items()}


def put_in(model: Any, weights: Mapping[str, np.ndarray]) -> None:
    """Give an untrained model what ``weights_of`` took from a trained one."""
    learned = {key: torch().from_numpy(np.array(value)) for key, value in weights.items()}
    model.load_state_dict({key: value for key, value in learned.items() if not key.startswith(_BESIDE)})
    beside = {key.removeprefix(_BESIDE): value for key, value in learned.items() if key.startswith(_BESIDE)}
    model.load_other_parameter({key: value.to(model.device) for key, value in beside.items()})
