"""Files that are sealed when a model is saved, and checked before it is read: nothing changed, nothing added."""

import hashlib
import json
import stat
from pathlib import Path

from omniretail.core.errors import DataError
from omniretail.serving.declared_sizes import SizeError, check_declared_size

MANIFEST = "manifest.json"
SUFFIXES = {".json", ".npz", ".parquet", ".safetensors", ".skops", ".txt", ".md"}
"""Files of which a saved model may consist; none of these is executed by being read."""
_PICKLES = {".pkl", ".pickle", ".joblib", ".pt", ".pth", ".bin", ".npy", ".ckpt"}


class BundleError(DataError):
    """A saved model cannot be trusted or read; the message names the file."""


def seal(folder: Path) -> str:
    """Write the manifest, which holds the sha256 of every other file; its own sha256 is returned.

    Raises:
        BundleError: where there is a file that a saved model may not hold.
    """
    digests = {name: sha256(folder / name) for name in _files(folder)}
    (folder / MANIFEST).write_text(json.dumps({"sha256": digests}, indent=1) + "\n")
    return sha256(folder / MANIFEST)


def check(folder: Path, expected: str | None = None) -> None:
    """Compare every file with the manifest before any of them is opened.

    Args:
        folder: of the saved model.
        expected: sha256 of the manifest itself, from the registry; None: the manifest is trusted.

    Raises:
        BundleError: where the manifest is missing or another than expected, a file was changed, added or removed, is a
            link or no plain file, or declares a size that it has not.
    """
    path = folder / MANIFEST
    present = _files(folder)
    if not path.is_file():
        raise BundleError(
            f"{folder} holds no {MANIFEST}; it is no model saved by omniretail, or it was not copied whole"
        )
    if expected is not None and sha256(path) != expected:
        raise BundleError(f"{MANIFEST} is not the one that was registered: refused; download the version again")
    listed = _listed(path)
    for name in sorted({*listed} ^ {*present}):
        raise BundleError(f"{name} is {'missing' if name in listed else 'not listed in the manifest'}: refused")
    for name, digest in listed.items():
        if sha256(folder / name) != digest:
            raise BundleError(f"{name} was changed after it was registered (its sha256 differs): refused")
    for name in listed:
        try:
            check_declared_size(folder / name)
        except SizeError as error:
            raise BundleError(f"{name} {error}: refused") from None


def sha256(path: Path) -> str:
    """Of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _listed(path: Path) -> dict[str, str]:
    try:
        return dict(json.loads(path.read_text())["sha256"])
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{MANIFEST} cannot be read: refused") from None


def _files(folder: Path) -> list[str]:
    """All but the manifest, by their path in the folder."""
    paths = sorted(path for path in folder.rglob("*") if not stat.S_ISDIR(path.lstat().st_mode))
    for path in paths:
        name, mode = path.relative_to(folder).as_posix(), path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise BundleError(f"{name} is {'a link' if stat.S_ISLNK(mode) else 'no plain file'}: refused")
        if path.suffix not in SUFFIXES:
            pickle = path.suffix in _PICKLES
            reason = "a pickle runs code when it is read" if pickle else f"only {', '.join(sorted(SUFFIXES))}"
            raise BundleError(f"{name} is no file of a saved model ({reason}): refused")
    return [path.relative_to(folder).as_posix() for path in paths if path != folder / MANIFEST]
