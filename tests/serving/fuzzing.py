"""Change saved models at random, seal them again, and load each in a process of its own: who dies by a signal?

``python -m tests.serving.fuzzing <folder of bundles> <number>`` prints a JSON list of what ended a process.
"""

import json
import os
import re
import resource
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors.numpy

from omniretail.serving.manifest import MANIFEST, BundleError, seal
from omniretail.serving.pyfunc import load_service

_MEMORY, _SECONDS = 12 << 30, 60
_EXTREMES = (-1, 0, 1, 7, 999, 2**31 - 1, 2**31, -(2**31), 2**40)


def main(bundles: Path, number: int) -> None:
    """See the module."""
    saved, failures = sorted(path for path in bundles.iterdir() if path.is_dir()), []
    for bundle in saved:
        load_service(bundle)  # also imports what the children need
    for seed in range(number):
        rng = np.random.default_rng(seed)
        changed = shutil.copytree(saved[seed % len(saved)], bundles.parent / "changed")
        what = f"{saved[seed % len(saved)].name} {seed}: {change(changed, rng)}"
        status = _in_a_child(changed)
        if status:
            failures.append(f"{what}: {status}")
        shutil.rmtree(changed)
    print(json.dumps(failures))


def change(bundle: Path, rng: np.random.Generator) -> str:
    """Change one file, and seal the bundle; what was done is returned."""
    files = sorted(path for path in bundle.rglob("*") if path.is_file() and path.name != MANIFEST)
    file = files[rng.integers(len(files))]
    changes: dict[str, Callable[[Path, np.random.Generator], None]] = {
        ".npz": _npz,
        ".safetensors": _safetensors,
        ".parquet": _parquet,
        ".json": _text,
        ".txt": _text,
    }
    how = changes.get(file.suffix, _bytes) if rng.random() < 0.75 else _bytes
    how(file, rng)
    seal(bundle)
    return f"{file.relative_to(bundle)} {how.__name__}"


def _in_a_child(bundle: Path) -> str:
    """What ended the process, empty where the bundle was read or refused."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        signal.alarm(_SECONDS)
        try:
            load_service(bundle)
        except BundleError:
            os._exit(0)
        except BaseException as error:
            os.write(2, f"{type(error)} {error}\n".encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    return f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"status {status}" if status else ""


def _bytes(file: Path, rng: np.random.Generator) -> None:
    content = bytearray(file.read_bytes())
    for _ in range(rng.integers(1, 4)):
        content[rng.integers(len(content))] = rng.integers(256)
    file.write_bytes(content[: rng.integers(len(content))] if rng.random() < 0.2 else content)


def _text(file: Path, rng: np.random.Generator) -> None:
    """Another number in the place of one."""
    text = file.read_text()
    numbers = list(re.finditer(r"-?\d+(\.\d+)?", text))
    if not numbers:
        return _bytes(file, rng)
    place = numbers[rng.integers(len(numbers))]
    file.write_text(f"{text[: place.start()]}{rng.choice(_EXTREMES)}{text[place.end() :]}")
    return None


def _npz(file: Path, rng: np.random.Generator) -> None:
    with np.load(file) as arrays:
        whole = dict(arrays)
    np.savez(file, allow_pickle=False, **_one_changed(whole, rng))


def _safetensors(file: Path, rng: np.random.Generator) -> None:
    safetensors.numpy.save_file(_one_changed(safetensors.numpy.load_file(file), rng), file)


def _parquet(file: Path, rng: np.random.Generator) -> None:
    table = pd.read_parquet(file)
    columns = {str(name): column.to_numpy() for name, column in table.items() if column.dtype.kind in "iuf"}
    if not columns or not len(table) or rng.random() < 0.2:
        table.iloc[: len(table) // 2].to_parquet(file, index=False)
        return
    changed = _one_changed(columns, rng, same_length=True)
    table.assign(**changed).to_parquet(file, index=False)


def _one_changed(arrays: dict[str, Any], rng: np.random.Generator, same_length: bool = False) -> dict[str, Any]:
    """One of the arrays shorter, of another type, or with an extreme value."""
    if not arrays:
        return arrays
    name = sorted(arrays)[rng.integers(len(arrays))]
    array = np.array(arrays[name])
    way = rng.random()
    if array.size and array.dtype.kind in "iuf" and (way < 0.6 or same_length):
        value = rng.choice(_EXTREMES)
        with np.errstate(over="ignore"):
            array.reshape(-1)[rng.integers(array.size, size=rng.integers(1, 4))] = np.array(value).astype(array.dtype)
    elif way < 0.8 and array.ndim:
        array = array[: rng.integers(len(array) + 1)]
    elif way < 0.9:
        array = array.reshape(-1)
    elif array.dtype.kind in "iuf":
        array = array.astype(rng.choice(["int8", "int64", "float16", "float64"]))
    return arrays | {name: np.ascontiguousarray(array)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
