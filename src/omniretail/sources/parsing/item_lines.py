"""Files with one line per user, ``user item item …``, the format of research repositories."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omniretail.schema import DataError


@dataclass(frozen=True)
class ItemLines:
    """The content of a file, one entry per item of a line.

    Attributes:
        user_id: shape (E,), int64.
        item_id: shape (E,), int64.
        position: of the item on its line, from 0; shape (E,), int64.
        without_items: number of lines with a user only.
    """

    user_id: np.ndarray
    item_id: np.ndarray
    position: np.ndarray
    without_items: int


def read_lines(path: Path) -> ItemLines:
    """Read a file; blank lines are skipped.

    Raises:
        DataError: where a value is no whole number, a user has two lines, or there is no line.
    """
    line_of: dict[int, int] = {}
    lines = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            if not (cells := text.split()):
                continue
            ids = whole_numbers(cells, path, number)
            first = line_of.setdefault(int(ids[0]), number)
            if first != number:
                raise DataError(f"{path}, row {number}, column 1: user {ids[0]} already has row {first}")
            lines.append(ids)
    if not lines:
        raise DataError(f"{path} is empty: it needs one line per user, 'user item item …'")
    lengths = np.array([len(ids) - 1 for ids in lines])
    return ItemLines(
        user_id=np.repeat([ids[0] for ids in lines], lengths),
        item_id=np.concatenate([ids[1:] for ids in lines]),
        position=np.concatenate([np.arange(length) for length in lengths]),
        without_items=int((lengths == 0).sum()),
    )


def whole_numbers(cells: list[str], path: Path, row: int) -> np.ndarray:
    """The cells of a row; int64, shape (C,).

    Raises:
        DataError: naming file, row and column of one that is no whole number.
    """
    try:
        return np.array(cells, dtype=np.int64)
    except (ValueError, OverflowError):
        column, cell = next((c, cell) for c, cell in enumerate(cells, start=1) if not _is_whole(cell))
    raise DataError(f"{path}, row {row}, column {column}: '{cell}' is not a whole number")


def _is_whole(cell: str) -> bool:
    try:
        return abs(int(cell)) < 2**63
    except ValueError:
        return False
