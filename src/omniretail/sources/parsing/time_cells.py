"""Text as times: ISO 8601, dates of digits, Unix times, and formats of one's own."""

from collections.abc import Sequence
from datetime import datetime
from itertools import product
from typing import Any

import ibis
from ibis import _

from omniretail.core.overrides import override
from omniretail.core.timezones import instant_to_utc, make_timestamp, to_utc, try_strptime, try_strptime_zoned
from omniretail.sources.parsing.typed_cells import Cell

# The engine's casts accept too much: "3:04 PM" as 3:04.
_READING = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_UTC, _OFFSET, _AREA = r"\s*(Z|z|UTC|utc|GMT)", r"\s*([+-]\d{2}):?(\d{2})?", r" [A-Z][A-Za-z]+/[A-Za-z_/+-]+"
_MICROSECONDS = {(9, 10): 1_000_000, (12, 13): 1_000, (15, 16): 1}
"""Digits of a Unix time, before and after September 2001 -> microseconds in its unit."""
_DATES = ("%d{0}%m{0}%Y", "%m{0}%d{0}%Y", "%Y{0}%m{0}%d", "%d{0}%m{0}%y", "%m{0}%d{0}%y", "%d{0}%b{0}%Y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S", " %H:%M:%S.%f", " %H:%M:%S %z")
_FORMATS = [
    *(date.format(mark) + clock for date, clock, mark in product(_DATES, _CLOCKS, "/.- ")),
    *("%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%Y年%m月%d日", "%Y年%m月%d日 %H:%M:%S", "%a, %d %b %Y %H:%M:%S %Z"),
]
"""Usual forms that are not accepted by themselves, for hints."""


def time(column: str, format: str | None, zone: str) -> Cell:
    """Dates and times as UTC without a zone.

    Args:
        column: its name in the file.
        format: a strptime format, ``%z`` and ``%Z`` included; None accepts ISO 8601 (``2024-05-31``, ``2024-05-31
            18:30``, ``…T18:30:00+08:00``, ``… +0800``, ``… UTC``, ``… Asia/Shanghai``), YYYYMMDD, also with HHMM or
            HHMMSS, and Unix time in seconds (9 or 10 digits), milliseconds (12 or 13), microseconds (15 or 16) or
            nanoseconds (18 or 19), with or without decimals.
        zone: IANA name of the zone that times without an offset are in.

    Raises:
        DataError: for a zone that does not exist.
    """
    text = _[column]
    if format is not None:
        return Cell(column, _of_format(text, format, zone), f"a time like {format}")
    forms = {_READING: to_utc(text.try_cast("timestamp"), zone)} | _with_offset(text) | _unix(text, zone)
    value = ibis.cases(*((text.re_search(f"^{form}$"), value) for form, value in forms.items()))
    return Cell(column, value, "an ISO 8601 or Unix time", _format_for)


def _format_for(texts: Sequence[str]) -> str:
    """The setting for times in a usual form of another kind; where day and month could be swapped, both settings."""
    fitting = [each for each in _FORMATS if all(_fits(text.strip(), each) for text in texts)]
    return "set " + " or ".join(override("source.timestamp_format", each) for each in fitting[:2] or ["%d/%m/%Y %H:%M"])


def _fits(text: str, format: str) -> bool:
    try:
        datetime.strptime(text, format)
    except ValueError:
        return False
    return True


def _of_format(text: Any, format: str, zone: str) -> Any:
    if "%z" not in format and "%Z" not in format:
        return to_utc(try_strptime(text, format), zone)
    numeric = text.re_replace("[Zz]$", "+00") if format.endswith("%z") else text
    return instant_to_utc(try_strptime_zoned(numeric, format))


def _with_offset(text: Any) -> dict[str, Any]:
    """Pattern -> value of ISO 8601 times that name their offset or zone."""
    texts = {
        _READING + _UTC: text.re_replace(_UTC + "$", "+00"),
        _READING + _OFFSET: text.re_replace(_OFFSET + "$", r"\1\2"),
        _READING + _AREA: text,
    }
    return {form: instant_to_utc(each.try_cast("timestamp('UTC')")) for form, each in texts.items()}


def _unix(text: Any, zone: str) -> dict[str, Any]:
    """Pattern -> value of times that are digits alone; those that are a date come first."""
    whole = text.re_replace(r"\.0*$", "")
    number, decimals = whole.try_cast("int64"), text.try_cast("float64")
    forms = {r"\d{8}": to_utc(try_strptime(text, "%Y%m%d"), zone)}
    forms |= {rf"\d{{{n}}}(\.0*)?": make_timestamp(number * unit) for ns, unit in _MICROSECONDS.items() for n in ns}
    minute = to_utc(try_strptime(text, "%Y%m%d%H%M"), zone)
    return {
        r"(19|20)\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])[0-5]\d": minute,
        r"\d{14}": to_utc(try_strptime(text, "%Y%m%d%H%M%S"), zone),
        **forms,
        r"\d{18,19}(\.0*)?": make_timestamp(number // 1_000),
        r"\d{9,10}\.\d+": make_timestamp((decimals * 1_000_000).round().cast("int64")),
        r"\d{12,13}\.\d+": make_timestamp((decimals * 1_000).round().cast("int64")),
    }
