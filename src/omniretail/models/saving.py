"""A fitted model as plain files: settings as JSON, arrays as NumPy's .npz, a network's weights as safetensors.

There is no pickle, so loading runs no code. It works for every model that follows the protocol of ``Recommender``: each
argument of the constructor is an attribute of that name, and everything learned is a NumPy array, a SciPy CSR array or,
for networks, a mapping of names to arrays, in an attribute that ends in an underscore. Fitted models inside a model are
a mapping too: ``parts_["svd"]`` is saved in the folder ``parts.models/svd``. scikit-learn's estimators are skops files.
"""

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.models.estimators import ESTIMATORS, SUFFIX, is_estimator, read_estimator, write_estimator
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.protocols import Recommender
from omniretail.models.sparse_ops import checked_csr

SETTINGS, ARRAYS, NETWORK = "settings.json", "arrays.npz", ".safetensors"
_MODELS = ".models"
_PARTS = f"*{_MODELS}/*/{SETTINGS}"
_HOME = "omniretail.models."
_DEPTHS, _ANY_DEPTH, _ANY_SIZE = ("n_blocks", "n_layers"), 64, 1 << 20
_CSR_PARTS = ("data", "indices", "indptr", "shape")


def save(model: Recommender | ProfileEncoder, folder: Path) -> None:
    """Write the model; ``load`` gives one with equal scores or vectors.

    Args:
        model: fitted.
        folder: made where it is not there; earlier files of a model in it are replaced.

    Raises:
        ValueError: where the model is not fitted.
        TypeError: where a fitted attribute is none of the kinds that can be saved.
    """
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    if not fitted:
        raise ValueError(f"{type(model).__name__} has learned nothing that could be saved; fit it first")
    models = {name: fitted.pop(name) for name in list(fitted) if _holds_models(fitted[name])}
    estimators = {name: fitted.pop(name) for name in list(fitted) if is_estimator(fitted[name])}
    networks = {name: fitted.pop(name) for name in list(fitted) if isinstance(fitted[name], dict)}
    for name, weights in networks.items():
        if not all(isinstance(value, np.ndarray) and value.dtype != object for value in weights.values()):
            raise TypeError(f"{name} is dict; only NumPy arrays and SciPy CSR arrays can be saved")
    arrays = {key: array for name, value in fitted.items() for key, array in _parts(name, value).items()}
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob(f"*{NETWORK}"), *folder.glob(f"*{SUFFIX}"), *folder.glob(_PARTS)]:
        old.unlink()
    (folder / SETTINGS).write_text(_settings_text(model))
    for name, weights in networks.items():
        safetensors.numpy.save_file(weights, folder / (name.rstrip("_") + NETWORK))
    for name, estimator in estimators.items():
        write_estimator(estimator, folder / (name.rstrip("_") + SUFFIX))
    for name, parts in models.items():
        for part, inner in parts.items():
            save(inner, folder / (name.rstrip("_") + _MODELS) / part)
    np.savez(folder / ARRAYS, allow_pickle=False, **arrays)


def load(folder: Path) -> Any:
    """Read what ``save`` wrote.

    Raises:
        FileNotFoundError: where one of the two files is missing.
        SettingsError: where the settings name a class that is not one of ours.
    """
    for name in (SETTINGS, ARRAYS):
        if not (folder / name).is_file():
            raise FileNotFoundError(f"{folder} has no {name}; a saved model is a folder with {SETTINGS} and {ARRAYS}")
    settings = json.loads((folder / SETTINGS).read_text())
    model = _made(settings)
    for file in folder.glob(f"*{NETWORK}"):
        weights = safetensors.numpy.load_file(file)
        _require_fitting_sizes(settings, weights)
        setattr(model, f"{file.stem}_", weights)
    for file in folder.glob(f"*{SUFFIX}"):
        setattr(model, f"{file.stem}_", read_estimator(file))
    for file in folder.glob(_PARTS):
        parts = vars(model).setdefault(f"{file.parent.parent.stem}_", {})
        parts[file.parent.name] = load(file.parent)
    with np.load(folder / ARRAYS, allow_pickle=False) as arrays:
        for name in dict.fromkeys(key.split(".")[0] for key in arrays):
            setattr(model, name, _whole(name, arrays))
    return model


def settings_of(made: object) -> dict[str, Any]:
    """A model's class and the arguments of its constructor as JSON values, models inside it likewise."""
    cls = type(made)
    arguments = {name: _plain(getattr(made, name)) for name in inspect.signature(cls).parameters}
    return {"_target_": f"{cls.__module__}.{cls.__qualname__}", **arguments}


def _settings_text(model: object) -> str:
    try:
        return json.dumps(settings_of(model), indent=2) + "\n"
    except TypeError as error:
        raise TypeError(f"a setting of {type(model).__name__} cannot be saved: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return settings_of(value) if _is_ours(value) or is_estimator(value) else value


def _is_ours(value: object) -> bool:
    return type(value).__module__.startswith(_HOME)


def _holds_models(value: object) -> bool:
    return isinstance(value, dict) and bool(value) and all(map(_is_ours, value.values()))


def _made(value: Any) -> Any:
    if isinstance(value, list):
        return [_made(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    inner = {name: _made(one) for name, one in value.items() if name != "_target_"}
    return _class(value["_target_"])(**inner) if "_target_" in value else inner


def _class(path: str) -> type:
    module, _, name = path.rpartition(".")
    known = module.startswith(_HOME) or path in ESTIMATORS
    cls = getattr(importlib.import_module(module), name, None) if known else None
    if not inspect.isclass(cls) or cls.__module__ != module:  # nor one that such a module imports
        raise SettingsError(f"{SETTINGS} names the class {path!r}, which is no model of {_HOME.rstrip('.')}")
    return cls


def _require_fitting_sizes(settings: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
    """Refuse a network that is larger than its weights: it is built before these are put in."""
    most = max(_ANY_SIZE, sum(array.size for array in weights.values()))
    for name, value in settings.items():
        bound = max(_ANY_DEPTH, len(weights)) if name in _DEPTHS else most
        if isinstance(value, int) and name != "seed" and value > bound:
            raise ValueError(f"{SETTINGS}: {name}={value} is more than the weights have")


def _parts(name: str, value: object) -> dict[str, np.ndarray]:
    if isinstance(value, sparse.csr_array):
        return {f"{name}.{part}": np.asarray(getattr(value, part)) for part in _CSR_PARTS}
    if isinstance(value, np.ndarray) and value.dtype != object:
        return {name: value}
    raise TypeError(f"{name} is {type(value).__name__}; only NumPy arrays and SciPy CSR arrays can be saved")


def _whole(name: str, arrays: np.lib.npyio.NpzFile) -> np.ndarray | sparse.csr_array:
    if name in arrays:
        return arrays[name]
    data, indices, indptr, shape = (arrays[f"{name}.{part}"] for part in _CSR_PARTS)
    return checked_csr(data, indices, indptr, shape=tuple(shape.tolist()))
