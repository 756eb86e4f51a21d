"""Public datasets: their addresses, and how their files get to the data root."""

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
    return {name: Dataset(**entry) for name, entry in yaml.safe_load(path.read_text()).items()}


def fetch(dataset: Dataset, data_root: Path, echo: Callable[[str], None] = print) -> None:
    """Download a dataset's files into the data root; existing files are checked and stay.

    A file is complete or absent: it is written as ``<name>.part`` and renamed when its sum is right.

    Args:
        dataset: to download.
        data_root: the folder of all datasets; created if missing.
        echo: called with each line of progress.

    Raises:
        FetchError: where a file cannot be downloaded or written, is not the published one, or must be fetched by hand.
    """
    folder = data_root / dataset.folder
    echo(f"{dataset.title}\nterms: {dataset.terms}")
    if dataset.manual and not dataset.files:
        echo(dataset.manual)
    for name, sha256 in dataset.files.items():
        path = folder / name
        if dataset.manual and not path.exists():
            raise FetchError(f"{path} is missing and must be fetched by hand:\n{dataset.manual}")
        try:
            if not path.exists():
                _make(dataset, name, path)
            verify(path, sha256)
        except OSError as error:
            raise FetchError(f"cannot write {path} ({error.strerror}); choose another folder with --root") from None
        echo(f"{path}: ready")


def _make(dataset: Dataset, name: str, path: Path) -> None:
    part = path.with_name(f"{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    if dataset.archive:
        _extract_member(dataset, part)
    else:
        download(f"{dataset.root}/{name}", part)
    verify(part, dataset.files[name])
    part.rename(path)


def _extract_member(dataset: Dataset, path: Path) -> None:
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
        raise FetchError(f"{dataset.archive} is no zip archive with '{dataset.member}'; has it moved?") from None
    archive.unlink()
