"""Local clocks and UTC, in the engine's own functions.

An Ibis cast to a zoned timestamp reads the clock in the session's zone, whatever zone it names. DuckDB's ``timezone``
takes the zone as an argument: it makes an instant of a local reading, and a local reading of an instant.
"""

from typing import Any
from zoneinfo import ZoneInfo

import ibis

from omniretail.core.errors import DataError


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def _instant(zone: Any, reading: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _reading(zone: Any, instant: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=(("timestamp", "string"), "timestamp"))
def _spark_reading(utc: Any, zone: Any) -> Any: ...


@ibis.udf.scalar.builtin(signature=(("string", "string"), "timestamp"))
def try_strptime(text: Any, format: Any) -> Any:
    """Text as a timestamp in a strptime format; null where it does not fit."""


@ibis.udf.scalar.builtin(name="try_strptime", signature=(("string", "string"), "timestamp('UTC')"))
def try_strptime_zoned(text: Any, format: Any) -> Any:
    """Text as an instant in a strptime format with ``%z`` or ``%Z``; null where it does not fit."""


@ibis.udf.scalar.builtin(signature=(("int64",), "timestamp"))
def make_timestamp(microseconds: Any) -> Any:
    """Microseconds since 1970 as a timestamp without a zone (the result of Ibis's ``as_timestamp`` has one)."""


def to_utc(local: Any, zone: str) -> Any:
    """A local clock's reading as UTC; in autumn, when an hour occurs twice, the second of the two.

    Args:
        local: a column of timestamps without a zone, or a deferred one.
        zone: IANA name of the clock's zone, such as ``Europe/London``.

    Raises:
        DataError: for a zone that does not exist.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        raise DataError(f"timezone={zone} is not a time zone; choose an IANA name such as Asia/Shanghai") from None
    return local if zone == "UTC" else _reading("UTC", _instant(zone, local))


def instant_to_utc(instant: Any) -> Any:
    """A timestamp with a zone as UTC without one."""
    return _reading("UTC", instant)


def local_clock(utc: Any, zone: str, spark: bool = False) -> Any:
    """UTC as a local clock's reading; the inverse of ``to_utc``.

    Args:
        utc: a column of timestamps without a zone.
        zone: IANA name, such as ``Europe/London``.
        spark: for a Spark session, whose own zone must be UTC; else for DuckDB.
    """
    if zone == "UTC":
        return utc
    return _spark_reading(utc, zone) if spark else _reading(zone, _instant("UTC", utc))
