"""Errors of reading a file as one sentence, with a way out."""

import csv
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from omniretail.schema import DataError
from omniretail.sources.parsing.encodings import way_out
from omniretail.sources.parsing.layout import compression_of

_CELLS = r"Expected Number of Columns: (\d+) Found: (\d+)"
_PLAIN_ENGLISH = {
    _CELLS: "has {1} cells where the header has {0}",
    r"cells: (\d+) instead of (\d+): (.*)": "a line has {0} cells where the header has {1}: '{2}'",
    r"unterminated quote": 'has a quote (") out of place; double it inside a cell',
    r"Maximum line size of (\d+) bytes exceeded": "is longer than {0} bytes; is a quote open, or a line end missing?",
    r"(?i)gzip|zstd|decompress|inflate|truncated|Compressed file ended": "is cut short or broken; copy it again",
}


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn errors of reading a file into one sentence.

    Raises:
        DataError: naming the file and, where the engine names it, the row; the header is row 1.
    """
    try:
        yield
    except DataError:
        raise
    except (duckdb.Error, OSError, EOFError, csv.Error, UnicodeError, zipfile.BadZipFile) as error:
        raise DataError(_plain_sentence(path, str(error))) from None


def _plain_sentence(path: Path, message: str) -> str:
    row = re.search(r"Error on Line: (\d+)", message)
    place = f"{path}, row {row[1]}:" if row else f"{path}:"
    if "not utf-8" in message.lower() or "invalid unicode" in message.lower():
        return f"{place} is not UTF-8; {way_out(path, compression_of(path))}"
    matches = ((text, re.search(pattern, message)) for pattern, text in _PLAIN_ENGLISH.items())
    plain = next((text.format(*match.groups()) for text, match in matches if match), None)
    return f"{place} {plain or (message.splitlines() or ['cannot be read'])[0]}"
