"""Local clock readings, as files have them, to UTC."""

from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import ibis

from omniretail.schema import DataError


# An ibis cast to a zoned timestamp is compiled to one that reads the clock in the session's zone, whatever zone it
# names; these two call the engine's function, which takes the zone as it is given.
@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def _instant(zone: Any, local: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _reading(zone: Any, instant: Any) -> Any: ...


@ibis.udf.scalar.builtin(signature=(("string", "string"), "timestamp"))
def try_strptime(text: Any, format: Any) -> Any:
    """Text as a timestamp in a strptime format; null where it does not fit."""


@ibis.udf.scalar.builtin(signature=(("int64",), "timestamp"))
def make_timestamp(microseconds: Any) -> Any:
    """Microseconds since 1970 as a timestamp without a zone (ibis's ``as_timestamp`` gives one with a zone)."""


def to_utc(local: Any, zone: str) -> Any:
    """A local clock's reading as UTC.

    Args:
        local: a column of timestamps without a zone, or a deferred one.
        zone: IANA name of the clock's zone, such as ``Europe/London``.

    Raises:
        DataError: for a zone that does not exist.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise DataError(f"timezone={zone}: not a time zone; take an IANA name such as Asia/Shanghai") from None
    return local if zone == "UTC" else _reading("UTC", _instant(zone, local))


def instant_to_utc(instant: Any) -> Any:
    """A timestamp that knows its zone as UTC without one."""
    return _reading("UTC", instant)
