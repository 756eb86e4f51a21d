"""Undoes RecBole's changes to the process: every call into the library runs inside ``contained()``."""

import io
import os
import random
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, redirect_stdout
from importlib import import_module
from typing import Any

import numpy as np
import yaml
from scipy import sparse

# Names that NumPy 2 dropped and RecBole 1.2.1 still reads; it assigns some of them itself.
_NUMPY_NAMES: Mapping[str, Any] = {
    "bool": np.bool_,
    "int": np.int_,
    "float": np.float64,
    "complex": np.complex128,
    "object": np.object_,
    "str": np.str_,
    "long": np.int_,
    "unicode": np.str_,
    "float_": np.float64,
    "complex_": np.complex128,
    "unicode_": np.str_,
}


@contextmanager
def contained(seed: int | None = None) -> Iterator[None]:
    """Let RecBole's code run with the NumPy that it was written for, and leave the process as it was.

    Inside: NumPy's old names exist, ``sys.argv`` is empty, warnings and prints are silent, the random generators of
    Python, NumPy and torch start from ``seed``. Afterwards all of that, the environment, torch's switches and the
    resolvers that RecBole adds to the YAML loader are restored. Not for several threads at once: these are settings of
    the process.

    Args:
        seed: of all generators; None: they are not seeded, but restored all the same.
    """
    with ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for name, value in _NUMPY_NAMES.items():
            stack.enter_context(_attribute(np, name, value))
        stack.enter_context(_attribute(sparse.dok_matrix, "_update", _update_entries))
        stack.enter_context(_attribute(sys, "argv", ["recbole"]))
        stack.enter_context(redirect_stdout(io.StringIO()))
        stack.enter_context(_attribute(yaml.FullLoader, "yaml_implicit_resolvers", _copied_resolvers()))
        stack.enter_context(_environment())
        stack.enter_context(_generators())
        if seed is not None:
            _seed(seed)
        yield


@contextmanager
def _attribute(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Set an attribute temporarily; one that the owner does not have itself is deleted afterwards."""
    before = vars(owner).get(name, _ABSENT)
    setattr(owner, name, value)
    try:
        yield
    finally:
        if before is _ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


_ABSENT = object()


def _update_entries(matrix: Any, entries: Mapping) -> None:
    """SciPy's former ``dok_matrix._update``: set many entries without checking each."""
    matrix._dict.update(entries)


def _copied_resolvers() -> dict:
    return {first: list(rules) for first, rules in yaml.FullLoader.yaml_implicit_resolvers.items()}


@contextmanager
def _environment() -> Iterator[None]:
    """RecBole chooses CUDA devices there, and libraries that it imports set variables too."""
    before = dict(os.environ)
    try:
        yield
    finally:
        for name in os.environ.keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _generators() -> Iterator[None]:
    torch = import_module("torch")
    cudnn = torch.backends.cudnn
    python, numpy_state = random.getstate(), _numpy_random().get_state()
    switches, dtype, threads = (
        (cudnn.benchmark, cudnn.deterministic),
        torch.get_default_dtype(),
        torch.get_num_threads(),
    )
    anomaly = torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()  # importing SINE switches it on
    with torch.random.fork_rng():
        try:
            yield
        finally:
            random.setstate(python)
            _numpy_random().set_state(numpy_state)
            cudnn.benchmark, cudnn.deterministic = switches
            torch.set_default_dtype(dtype)
            torch.autograd.set_detect_anomaly(*anomaly)
            if torch.get_num_threads() != threads:
                torch.set_num_threads(threads)


def _seed(seed: int) -> None:
    torch = import_module("torch")
    random.seed(seed)
    _numpy_random().seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic = False, True


def _numpy_random() -> Any:
    """NumPy's global generator, from which RecBole draws."""
    return import_module("numpy.random")
