"""What is known of a public dataset, and how its files get to the data root."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from omniretail.sources.download.download import FetchError, download, verify
from omniretail.sources.download.workbook import to_csv


@dataclass(frozen=True)
class Dataset:
    """An entry of ``configs/fetch.yaml``, which explains the fields."""

    title: str
    terms: str
    folder: str = ""
    files: dict[str, str | None] = field(default_factory=dict)
    root: str = ""
    archive: str = ""
    member: str = ""
    rows: int | None = None
    manual: str = ""


def read_datasets(path: Path) -> dict[str, Dataset]:
    """Every dataset that can be fetched, by name."""
    return {name: Dataset(**facts) for name, facts in yaml.safe_load(path.read_text()).items()}


def fetch(dataset: Dataset, data_root: Path, say: Callable[[str], None] = print) -> None:
    """Bring a dataset's files to the data root; those that are there already are checked and kept.

    A file is complete or absent: it is made under the name ``<name>.part`` and renamed when its sum is right.

    Args:
        dataset: what to bring.
        data_root: the folder with all datasets; made if need be.
        say: told what happens, a line at a time.

    Raises:
        FetchError: where a file cannot be had or written, or is not the published one, or a person must act first.
    """
    folder = data_root / dataset.folder
    say(f"{dataset.title}\nterms: {dataset.terms}")
    if dataset.manual and not dataset.files:
        say(dataset.manual)
    for name, sha256 in dataset.files.items():
        path = folder / name
        if dataset.manual and not path.exists():
            raise FetchError(f"{path} is not there, and only a person can get it:\n{dataset.manual}")
        try:
            if not path.exists():
                _make(dataset, name, path)
            verify(path, sha256)
        except OSError as error:
            raise FetchError(f"cannot write {path} ({error.strerror}); choose another folder with --root") from None
        say(f"{path}: ready")


def _make(dataset: Dataset, name: str, path: Path) -> None:
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    if dataset.archive:
        _take_member(dataset, part)
    else:
        download(f"{dataset.root}/{name}", part)
    verify(part, dataset.files[name])
    part.rename(path)


def _take_member(dataset: Dataset, path: Path) -> None:
    archive = path.with_name(dataset.archive.rpartition("/")[2])
    if not archive.exists():
        part = archive.with_name(f"{archive.name}.part")
        download(dataset.archive, part)
        part.rename(archive)
    try:
        with zipfile.ZipFile(archive) as bundle, bundle.open(dataset.member) as member:
            if dataset.rows is None:
                path.write_bytes(member.read())
            else:
                to_csv(member, path, dataset.rows)
    except (zipfile.BadZipFile, KeyError):
        archive.unlink()
        raise FetchError(f"{dataset.archive} gave no zip archive with '{dataset.member}'; has it moved?") from None
    archive.unlink()
