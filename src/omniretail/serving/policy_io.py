"""A fitted policy as JSON and arrays, so that a service applies the rules under which lists were evaluated.

Only plain settings and fitted attributes are saved; tables that a rule was made with are not, since ``fit`` has read
them. Reading resolves classes and functions of ``omniretail.policies`` by name and runs none of them.
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

from omniretail.models.sparse_ops import checked_csr
from omniretail.serving.manifest import BundleError

_HOME = "omniretail.policies."
_PLAIN = (str, int, float, bool, type(None))
_CSR = ("data", "indices", "indptr", "shape")


def write_policy(policy: Any, folder: Path) -> None:
    """Write ``policy.json`` and ``policy.npz``.

    Raises:
        TypeError: where the policy is not of ``omniretail.policies`` or holds something that cannot be saved.
    """
    arrays: dict[str, np.ndarray] = {}
    (folder / "policy.json").write_text(json.dumps(_encoded(policy, arrays), indent=1) + "\n")
    np.savez(folder / "policy.npz", allow_pickle=False, **arrays)


def read_policy(folder: Path) -> Any:
    """Read what ``write_policy`` wrote.

    Raises:
        BundleError: where it names something that is no policy.
    """
    with np.load(folder / "policy.npz", allow_pickle=False) as arrays:
        return _decoded(json.loads((folder / "policy.json").read_text()), arrays)


def _encoded(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, np.ndarray | sparse.csr_array):
        return _array_reference(value, arrays)
    if isinstance(value, tuple):
        return {"tuple": [_encoded(each, arrays) for each in value]}
    if isinstance(value, Sequence):
        return [_encoded(each, arrays) for each in value]
    if isinstance(value, partial):
        return {"function": _path(value.func), "settings": _encoded(dict(value.keywords), arrays)}
    if isinstance(value, Mapping):
        return {"mapping": {str(name): _encoded(each, arrays) for name, each in value.items()}}
    if inspect.isfunction(value):
        return {"function": _path(value), "settings": {"mapping": {}}}
    state = {name: each for name, each in vars(value).items() if name.endswith("_") or isinstance(each, _PLAIN)}
    return {"class": _path(type(value)), "state": {name: _encoded(each, arrays) for name, each in state.items()}}


def _array_reference(value: np.ndarray | sparse.csr_array, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Add the array to ``arrays``; what the JSON says in its place."""
    name = str(len(arrays))
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            raise TypeError("a policy holds an array of objects, which cannot be saved; use numbers or text")
        arrays[name] = value
        return {"array": name}
    arrays |= {f"{name}.{part}": np.asarray(getattr(value, part)) for part in _CSR}
    return {"csr": name}


def _path(thing: Any) -> str:
    path = f"{thing.__module__}.{thing.__qualname__}"
    if not path.startswith(_HOME):
        raise TypeError(f"the policy {path} is not of {_HOME.rstrip('.')}, so it cannot be saved with the model")
    return path


def _decoded(value: Any, arrays: np.lib.npyio.NpzFile) -> Any:
    if isinstance(value, list):
        return [_decoded(each, arrays) for each in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        return arrays[value["array"]]
    if "csr" in value:
        data, indices, indptr, shape = (arrays[f"{value['csr']}.{part}"] for part in _CSR)
        return checked_csr(data, indices, indptr, shape=tuple(shape.tolist()))
    if "tuple" in value:
        return tuple(_decoded(value["tuple"], arrays))
    if "mapping" in value:
        return {name: _decoded(each, arrays) for name, each in value["mapping"].items()}
    if "function" in value:
        return partial(_resolved(value["function"], inspect.isfunction), **_decoded(value["settings"], arrays))
    policy = object.__new__(_resolved(value["class"], inspect.isclass))
    vars(policy).update({name: _decoded(each, arrays) for name, each in value["state"].items()})
    return policy


def _resolved(path: str, has_kind: Any) -> Any:
    module, _, name = path.rpartition(".")
    thing = getattr(importlib.import_module(module), name, None) if f"{module}.".startswith(_HOME) else None
    if not has_kind(thing) or not f"{thing.__module__}.".startswith(_HOME):  # nor one that a module of ours imports
        raise BundleError(f"policy.json names {path!r}, which is no policy of omniretail: refused")
    return thing
