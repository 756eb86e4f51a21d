"""A fitted policy as JSON and arrays, so that a service applies the rules that lists were judged under.

Only settings that are plain values and what was fitted are kept: tables that a rule was given are not, since ``fit``
has read them. Reading finds classes and functions of ``omniretail.policies`` by name and runs none of them.
"""

import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

from omniretail.serving.manifest import BundleError

_HOME = "omniretail.policies."
_PLAIN = (str, int, float, bool, type(None))
_CSR = ("data", "indices", "indptr", "shape")


def write_policy(policy: Any, folder: Path) -> None:
    """Write ``policy.json`` and ``policy.npz``.

    Raises:
        TypeError: where the policy is not of ``omniretail.policies`` or holds something that cannot be kept.
    """
    arrays: dict[str, np.ndarray] = {}
    (folder / "policy.json").write_text(json.dumps(_told(policy, arrays), indent=1) + "\n")
    np.savez(folder / "policy.npz", allow_pickle=False, **arrays)


def read_policy(folder: Path) -> Any:
    """Read what ``write_policy`` wrote.

    Raises:
        BundleError: where it names something that is no policy.
    """
    with np.load(folder / "policy.npz", allow_pickle=False) as arrays:
        return _made(json.loads((folder / "policy.json").read_text()), arrays)


def _told(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray | sparse.csr_array):
        return _kept(value, arrays)
    if isinstance(value, tuple):
        return {"tuple": [_told(each, arrays) for each in value]}
    if isinstance(value, Sequence):
        return [_told(each, arrays) for each in value]
    if isinstance(value, partial):
        return {"function": _path(value.func), "settings": _told(dict(value.keywords), arrays)}
    if isinstance(value, Mapping):
        return {"mapping": {str(name): _told(each, arrays) for name, each in value.items()}}
    if inspect.isfunction(value):
        return {"function": _path(value), "settings": {"mapping": {}}}
    fitted = {name: each for name, each in vars(value).items() if name.endswith("_") or isinstance(each, _PLAIN)}
    return {"class": _path(type(value)), "state": {name: _told(each, arrays) for name, each in fitted.items()}}


def _kept(value: np.ndarray | sparse.csr_array, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    name = str(len(arrays))
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            raise TypeError("a policy holds an array of objects, which cannot be kept; use numbers or text")
        arrays[name] = value
        return {"array": name}
    arrays |= {f"{name}.{part}": np.asarray(getattr(value, part)) for part in _CSR}
    return {"csr": name}


def _path(found: Any) -> str:
    path = f"{found.__module__}.{found.__qualname__}"
    if not path.startswith(_HOME):
        raise TypeError(f"the policy {path} is not of {_HOME.rstrip('.')}, so it cannot be kept with the model")
    return path


def _made(told: Any, arrays: np.lib.npyio.NpzFile) -> Any:
    if isinstance(told, list):
        return [_made(each, arrays) for each in told]
    if not isinstance(told, dict):
        return told
    if "array" in told:
        return arrays[told["array"]]
    if "csr" in told:
        data, indices, indptr, shape = (arrays[f"{told['csr']}.{part}"] for part in _CSR)
        return sparse.csr_array((data, indices, indptr), shape=tuple(shape.tolist()))
    if "tuple" in told:
        return tuple(_made(told["tuple"], arrays))
    if "mapping" in told:
        return {name: _made(each, arrays) for name, each in told["mapping"].items()}
    if "function" in told:
        settings = _made(told["settings"], arrays)
        return partial(_found(told["function"], inspect.isfunction), **settings)
    made = object.__new__(_found(told["class"], inspect.isclass))
    vars(made).update({name: _made(each, arrays) for name, each in told["state"].items()})
    return made


def _found(path: str, wanted: Any) -> Any:
    module, _, name = path.rpartition(".")
    found = getattr(importlib.import_module(module), name, None) if f"{module}.".startswith(_HOME) else None
    if not wanted(found) or not f"{found.__module__}.".startswith(_HOME):  # nor one that a module of ours imports
        raise BundleError(f"policy.json names {path!r}, which is no policy of omniretail: refused")
    return found
