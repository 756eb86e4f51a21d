"""Times as settings write them and as arrays hold them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from omniretail.core.errors import SettingsError


def parse_utc(text: str) -> datetime:
    """An ISO 8601 time as UTC without a zone; without an offset it is taken to be UTC.

    Raises:
        SettingsError: where the text is no such time.

    >>> parse_utc("2018-01-01T00:00-05:00")
    datetime.datetime(2018, 1, 1, 5, 0)
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(
            f"{text!r} is not a time in ISO 8601, such as 2018-01-01 or 2018-01-01T00:00-05:00"
        ) from None
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def from_local(local: datetime, zone: str) -> datetime:
    """A local clock's reading as UTC without a zone.

    >>> from_local(datetime(2024, 7, 1), "Asia/Shanghai")
    datetime.datetime(2024, 6, 30, 16, 0)
    """
    return local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)


def to_local(utc: datetime, zone: str) -> datetime:
    """UTC as a local clock's reading without a zone; the inverse of ``from_local``."""
    return utc.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def epoch_seconds(time: datetime) -> int:
    """Whole seconds since 1970 of a UTC time without a zone.

    >>> epoch_seconds(datetime(1970, 1, 1, 0, 1))
    60
    """
    return int(time.replace(tzinfo=UTC).timestamp())
