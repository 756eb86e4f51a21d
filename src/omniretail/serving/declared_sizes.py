"""What a file says of its own size, checked before it is read: a small file must not claim much memory."""

import struct
import zipfile
from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

_MOST_JSON = 256 << 20
_ROWS_PER_BYTE, _FEW_ROWS = 64, 1_000_000  # columns of one value take next to no space
_CODECS = {"UNCOMPRESSED", "SNAPPY"}  # the latter shrinks no page below a twentieth
_SHRUNK, _LITTLE = 32, 1 << 20


class SizeError(ValueError):
    """A file claims to hold more than it can; the message says what."""


def check_declared_size(path: Path) -> None:
    """Refuse a file whose content does not fit what it declares.

    Raises:
        SizeError: where it declares more than it holds, or is not of the kind that its name says.
    """
    check = _CHECKS.get(path.suffix)
    if check is None:
        return
    try:
        check(path)
    except SizeError:
        raise
    except (OSError, ValueError, RuntimeError, struct.error, zipfile.BadZipFile, pa.ArrowException) as error:
        raise SizeError(f"is no {path.suffix} file ({(str(error) or type(error).__name__).splitlines()[0]})") from None


def _require(fits: bool, what: str) -> None:
    if not fits:
        raise SizeError(f"declares {what} that it does not hold")


def _check_zip(path: Path) -> None:
    with zipfile.ZipFile(path) as file:
        members = file.infolist()
        _require(all(each.compress_type == zipfile.ZIP_STORED for each in members), "compressed content")
        _require(sum(each.file_size for each in members) <= path.stat().st_size, "a size")
        _require(len({each.filename for each in members}) == len(members), "two members of one name")
        for each in members:
            if each.filename.endswith(".npy"):
                with file.open(each) as member:
                    _require(_array_bytes(member) == each.file_size, f"an array {each.filename}")


def _array_bytes(member: IO[bytes]) -> int:
    """Length of the member, as its header has it."""
    major, _ = np.lib.format.read_magic(member)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(member)
    if dtype.hasobject:
        raise SizeError("holds an array of objects, whose pickle runs code when it is read")
    return member.tell() + prod(shape) * dtype.itemsize


def _check_parquet(path: Path) -> None:
    size, metadata = path.stat().st_size, pq.read_metadata(path)
    _require(metadata.num_rows <= _ROWS_PER_BYTE * size + _FEW_ROWS, f"{metadata.num_rows:,} rows")
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    _require({each.compression for each in chunks} <= _CODECS, "another compression than Snappy's")
    _require(sum(each.total_uncompressed_size for each in chunks) <= _SHRUNK * size + _LITTLE, "a size")


def _check_safetensors(path: Path) -> None:
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
    _require(length <= path.stat().st_size - 8, "a header")


def _check_json(path: Path) -> None:
    _require(path.stat().st_size <= _MOST_JSON, "settings alone, of a length")


_CHECKS: Mapping[str, Callable[[Path], None]] = {
    ".npz": _check_zip,
    ".skops": _check_zip,
    ".parquet": _check_parquet,
    ".safetensors": _check_safetensors,
    ".json": _check_json,
}
