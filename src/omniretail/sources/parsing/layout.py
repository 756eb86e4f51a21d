"""How the rows and cells of a file are written, and what kind of file it is."""

import zipfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from omniretail.core.overrides import override
from omniretail.schema import DataError

MISSING = ("", "null", "NULL", "NaN", "nan", "None", r"\N")
"""Values that stand for an empty cell in exports of databases and of pandas."""
BLANKS = "blanks"
"""The delimiter of files whose cells are divided by one or more blanks or tabs."""

_WORDS = {"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|", "blank": " ", r"\s+": BLANKS}
_COMPRESSIONS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_KINDS = {b"PAR1": "parquet", b"ARROW1": "arrow", b"\xff\xff\xff\xff": "arrow stream"}
_JSON = (".jsonl", ".ndjson", ".json")
_UNREADABLE = {
    b"\xd0\xcf\x11\xe0": "a workbook of an old Excel; save it as .xlsx or CSV",
    b"BZh": "compressed by bzip2; unpack it",
    b"\xfd7zXZ": "compressed by xz; unpack it",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it",
    b"Rar!": "a RAR archive; unpack it",
    b"SQLite format 3": "an SQLite database; export the table as CSV",
}


@dataclass(frozen=True)
class Layout:
    """How a file is written; what is None is decided by the file.

    Attributes:
        delimiter: between cells: characters, or ``tab``, ``comma``, ``semicolon``, ``pipe``, ``blank``, ``blanks``.
        header: names of the columns of a file that has no row of names; empty: its first row has them.
        widths: of the columns in characters, where they stand at fixed places; the last one may be longer.
        encoding: of a file that is not UTF-8.
        sheet: of a workbook; None: the first.
        missing: cells with one of these values, or only blanks, become null.
    """

    delimiter: str | None = None
    header: Sequence[str] = ()
    widths: Sequence[int] = ()
    encoding: str | None = None
    sheet: str | None = None
    missing: Collection[str] = MISSING

    @property
    def separator(self) -> str | None:
        """The delimiter as characters; ``BLANKS`` for a run of blanks; None where the file decides."""
        return None if self.delimiter is None else _WORDS.get(self.delimiter, self.delimiter)


def delimiter_override(delimiter: str) -> str:
    """The setting that names a delimiter, to be pasted into a shell."""
    words = {character: word for word, character in _WORDS.items() if word.isalpha()}
    return override("source.delimiter", words.get(delimiter, delimiter))


def kind_of(path: Path) -> str:
    """``folder``, ``parquet``, ``arrow``, ``arrow stream``, ``workbook``, ``zip``, ``json`` or ``text``.

    Raises:
        DataError: for a format that cannot be read, with the way out.
    """
    if path.is_dir():
        return "folder"
    start = _start(path)
    for magic, what in _UNREADABLE.items():
        if start.startswith(magic):
            raise DataError(f"{path} is {what}")
    if start.startswith(b"PK\x03\x04"):
        return "workbook" if _is_workbook(path) else "zip"
    matching = next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)
    return matching or ("json" if any(ending.lower() in _JSON for ending in path.suffixes[-2:]) else "text")


def compression_of(path: Path) -> str | None:
    """``gzip`` or ``zstd``, by the first bytes; None: not compressed."""
    start = _start(path)
    return next((name for magic, name in _COMPRESSIONS.items() if start.startswith(magic)), None)


def files_of(path: Path) -> list[Path]:
    """The files behind a path: itself, or the Parquet parts of a folder."""
    return parts_of_folder(path) if path.is_dir() else [path]


def parts_of_folder(folder: Path) -> list[Path]:
    """Parquet files of a folder and of those below it, in the order of their names.

    Raises:
        DataError: where there is none.
    """
    hidden = (".", "_")
    parts = sorted(part for ending in ("parquet", "pq") for part in folder.rglob(f"*.{ending}"))
    visible = [part for part in parts if not part.name.startswith(hidden) and part.is_file()]
    if not visible:
        raise DataError(f"{folder} is a folder without Parquet files; set source.path to one file")
    return visible


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(16)


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile as error:
        raise DataError(f"{path} is a broken zip file ({error}); copy it again") from None
