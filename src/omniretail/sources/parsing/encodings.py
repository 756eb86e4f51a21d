"""Encodings of text files: UTF-8, what its marks say, or what its letters look like."""

import codecs
import io
import re
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa

from omniretail.core.overrides import override
from omniretail.schema import DataError

_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SAMPLE_BYTES = 64_000
_CHUNK = 1 << 20


def opened(path: Path, compression: str | None) -> pa.NativeFile:
    """A file as bytes, unpacked."""
    return pa.input_stream(str(path), compression=compression)


def marked_encoding(path: Path, compression: str | None) -> str:
    """The encoding by the byte order mark, or by the zeros of UTF-16 without one; else ``utf-8``."""
    with opened(path, compression) as file:
        start = file.read(64)
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if marked or len(start) < 8:
        return marked or "utf-8"
    odd, even = start[1::2].count(0), start[::2].count(0)
    return "utf-16-le" if odd > len(start) // 4 > even else "utf-16-be" if even > len(start) // 4 > odd else "utf-8"


def is_utf8(path: Path, compression: str | None) -> bool:
    """Whether every byte of the file is UTF-8."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with opened(path, compression) as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def write_utf8(path: Path, compression: str | None, encoding: str, target: Path) -> None:
    """Copy a file, unpacked and in UTF-8.

    Raises:
        DataError: where the file is not in that encoding, or there is no such encoding.
    """
    try:
        with (
            opened(path, compression) as raw,
            io.TextIOWrapper(raw, codecs.lookup(encoding).name, newline="") as text,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            shutil.copyfileobj(text, copy, _CHUNK)
    except LookupError:
        raise DataError(
            f"source.encoding={encoding} is no encoding; choose for instance gb18030, big5 or cp1252"
        ) from None
    except UnicodeError as error:
        raise DataError(f"{path} is not in {encoding} ({error}); {way_out(path, compression)}") from None


def way_out(path: Path, compression: str | None) -> str:
    """What to set for a file that is not UTF-8: the likeliest encoding, and how its first foreign words read in it."""
    lines = list(islice(_foreign_lines(path, compression), 500))
    if not lines:
        return "convert the file to UTF-8"
    guess = likeliest(b"\n".join(lines)[:_SAMPLE_BYTES])
    if guess is None:
        return "it mixes encodings: convert the file to UTF-8, for instance with iconv -f GB18030 -t UTF-8"
    shown = lines[0].decode(guess, "replace").strip()[:40]
    return f"it looks like {guess}, in which a line reads '{shown}': set {override('source.encoding', guess)}"


def likeliest(sample: bytes) -> str | None:
    """The encoding in which a sample of lines, none of them ASCII, reads most like a language; None where none fits.

    Libraries that guess encodings need pages of text; a log has a few words. Each candidate is scored by the share of
    its foreign letters that are everyday ones; of equal scores the first candidate wins.

    >>> likeliest("Café crème".encode("cp1252"))
    'cp1252'
    >>> likeliest("绿茶 龙井 一百克".encode("gb18030"))
    'gb18030'
    """
    scores = {name: _score(sample, name) for name in _EVERYDAY}
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] > 0 else None


def _score(sample: bytes, encoding: str) -> float:
    try:
        letters = [letter for letter in sample.decode(encoding) if letter > "\x7f"]
    except UnicodeDecodeError:
        return 0.0
    everyday = sum(map(_EVERYDAY[encoding], letters)) / len(letters)
    runs = re.findall(rb"[\x80-\xff]+", sample)
    alone = sum(map(len, runs)) <= 2 * len(runs)  # letters with accents stand alone, those of other scripts do not
    return everyday if alone == (encoding in _LATIN) else everyday / 2


def _lead_within(encoding: str, low: int, high: int) -> Callable[[str], bool]:
    """Whether a character is in the first, everyday plane of a Chinese encoding."""

    def within(letter: str) -> bool:
        code = letter.encode(encoding, "ignore")
        return len(code) == 2 and low <= code[0] <= high

    return within


_LATIN = {
    "cp1252": "àâäåæçéèêëìîïñòóôöøœùûüßáíúãõÀÂÄÅÆÇÉÈÊÑÖØÜÁÓÚÍ€£’“”–°®™½",
    "cp1250": "ąćęłńóśźżčďěňřšťůžáéíýúäöüßőűăâîșțĄĆĘŁŃÓŚŹŻČĎĚŇŘŠŤŮŽÁÉÍÝÚ€",
}
_EVERYDAY: dict[str, Callable[[str], bool]] = {
    **{name: letters.__contains__ for name, letters in _LATIN.items()},
    "gb18030": _lead_within("gb2312", 0xB0, 0xD7),
    "big5": _lead_within("big5", 0xA4, 0xC6),
    "cp1251": lambda letter: "а" <= letter.lower() <= "я" or letter in "ёЁ",
    "shift_jis": lambda letter: "\u3040" <= letter <= "\u30ff",
}


def _foreign_lines(path: Path, compression: str | None) -> Iterator[bytes]:
    with opened(path, compression) as file:
        for line in io.BufferedReader(file):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                yield line
