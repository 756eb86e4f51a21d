"""What a RecBole model has learned, as safetensors: bytes that execute nothing when they are read."""

import importlib
from typing import Any

import numpy as np

from omniretail.models.recommenders.recbole.library import torch

_BESIDE = "beside:"


def weights_of(model: Any) -> np.ndarray:
    """Weights, and the tensors that RecBole keeps beside them; uint8, shape (bytes,)."""
    beside = {_BESIDE + key: value for key, value in model.other_parameter().items() if torch().is_tensor(value)}
    learned = {**model.state_dict(), **beside}
    plain = {key: value.detach().cpu().clone().contiguous() for key, value in learned.items()}
    return np.frombuffer(_safetensors().save(plain), dtype=np.uint8)


def put_in(model: Any, weights: np.ndarray) -> None:
    """Give an untrained model what ``weights_of`` took from a trained one."""
    learned = _safetensors().load(weights.tobytes())
    model.load_state_dict({key: value for key, value in learned.items() if not key.startswith(_BESIDE)})
    beside = {key.removeprefix(_BESIDE): value for key, value in learned.items() if key.startswith(_BESIDE)}
    model.load_other_parameter({key: value.to(model.device) for key, value in beside.items()})


def _safetensors() -> Any:
    return importlib.import_module("safetensors.torch")
