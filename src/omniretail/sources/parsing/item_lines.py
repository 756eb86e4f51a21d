"""Files with one line per user, ``user item item …``, as the research repositories share them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omniretail.schema import DataError


@dataclass(frozen=True)
class ItemLines:
    """Such a file, one entry per item on a line.

    Attributes:
        user_id: shape (E,), int64.
        item_id: shape (E,), int64.
        position: of the item on its line, from 0; shape (E,), int64.
        without_items: lines that hold a user only.
    """

    user_id: np.ndarray
    item_id: np.ndarray
    position: np.ndarray
    without_items: int


def read_lines(path: Path) -> ItemLines:
    """Read such a file; blank lines are passed over.

    Raises:
        DataError: where something is no whole number, a user has two lines, or there is no line.
    """
    line_of: dict[int, int] = {}
    lines = []
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, text in enumerate(file, start=1):
            if not (words := text.split()):
                continue
            ids = _whole_numbers(words, path, number)
            first = line_of.setdefault(int(ids[0]), number)
            if first != number:
                raise DataError(f"{path}, row {number}, column 1: user {ids[0]} has row {first} already")
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


def _whole_numbers(words: list[str], path: Path, row: int) -> np.ndarray:
    try:
        return np.array(words, dtype=np.int64)
    except (ValueError, OverflowError):
        column, word = next((c, word) for c, word in enumerate(words, start=1) if not _is_whole(word))
    raise DataError(f"{path}, row {row}, column {column}: '{word}' is not a whole number")


def _is_whole(word: str) -> bool:
    try:
        return abs(int(word)) < 2**63
    except ValueError:
        return False
