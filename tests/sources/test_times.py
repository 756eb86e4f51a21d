"""Times as strangers write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omniretail.core import engine
from omniretail.schema import DataError
from omniretail.sources.csv import CSV


@pytest.fixture
def time_of(tmp_path, rows):
    def read(text: str, **settings) -> datetime:
        path = tmp_path / "log.csv"
        path.write_text(f'user_id,item_id,timestamp\n1,2,"{text}"\n')
        (event,) = rows(CSV(path, **settings).read(engine.connect()).events)
        return event["timestamp"]

    return read


OLD, NEW = 978300760, 1717142400  # before and after the tenth digit


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai"])
@pytest.mark.parametrize("seconds", [OLD, NEW])
@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("decimals", ["", ".0", ".000000", "."])
def test_unix_times_of_any_unit(time_of, seconds, unit, decimals, zone):
    expected = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
    assert time_of(f"{seconds * unit}{decimals}", timezone=zone) == expected


def test_unix_times_with_a_fraction(time_of):
    assert time_of(f"{NEW}.25") == datetime(2024, 5, 31, 8, 0, 0, 250000)
    assert time_of(f"{NEW}250.5") == datetime(2024, 5, 31, 8, 0, 0, 250500)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2019-10-01 00:00:04 UTC", datetime(2019, 10, 1, 0, 0, 4)),
        ("2019-10-01 00:00:04UTC", datetime(2019, 10, 1, 0, 0, 4)),
        ("2019-10-01 00:00:04.5 GMT", datetime(2019, 10, 1, 0, 0, 4, 500000)),
        ("2019-10-01T00:00:04z", datetime(2019, 10, 1, 0, 0, 4)),
        ("2019-10-01 08:00:04 +0800", datetime(2019, 10, 1, 0, 0, 4)),
        ("2019-10-01 08:00:04 +08:00", datetime(2019, 10, 1, 0, 0, 4)),
        ("2019-10-01T08:00:04+08", datetime(2019, 10, 1, 0, 0, 4)),
        ("2019/10/1 05:30 -0330", datetime(2019, 10, 1, 9, 0)),
        ("2019-10-01 08:00:04 Asia/Shanghai", datetime(2019, 10, 1, 0, 0, 4)),
        ("20191001080004", datetime(2019, 10, 1, 15, 0, 4)),
        ("201910010800", datetime(2019, 10, 1, 15, 0)),
    ],
)
def test_offsets_and_zones(time_of, text, utc):
    assert time_of(text, timezone="America/Los_Angeles") == utc


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("01/10/2019 08:00:04 +0800", "%d/%m/%Y %H:%M:%S %z"),
        ("01/10/2019 08:00:04+08:00", "%d/%m/%Y %H:%M:%S%z"),
        ("01/10/2019 00:00:04Z", "%d/%m/%Y %H:%M:%S%z"),
        ("01/10/2019 00:00:04 UTC", "%d/%m/%Y %H:%M:%S %Z"),
        ("01/10/2019 08:00:04 Asia/Shanghai", "%d/%m/%Y %H:%M:%S %Z"),
    ],
)
def test_offsets_in_formats_of_ones_own(time_of, text, form):
    assert time_of(text, timestamp_format=form, timezone="America/New_York") == datetime(2019, 10, 1, 0, 0, 4)


@pytest.mark.parametrize("text", ["12345678901", "1.7E+12", "2019-10-01 UTC+8", "2019-10-01 00:00 CST", "2019-13-01"])
def test_what_is_no_time_is_refused(time_of, text):
    with pytest.raises(DataError, match="is not an ISO 8601 or Unix time"):
        time_of(text)


@pytest.mark.parametrize("form", ["%Q", "soon", "%d/%m"])
def test_a_format_that_does_not_fit_is_refused(time_of, form):
    with pytest.raises(DataError):
        time_of("31/05/2024", timestamp_format=form)


ZONES = ["Asia/Shanghai", "America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.datetimes(datetime(1990, 1, 1), datetime(2025, 1, 1)), st.sampled_from(ZONES))
def test_clocks_are_those_of_the_zone_database(time_of, local, zone):
    local = local.replace(microsecond=0)
    expected = local.replace(tzinfo=ZoneInfo(zone), fold=1).astimezone(UTC).replace(tzinfo=None)
    in_a_gap = expected.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != local
    if in_a_gap:  # no clock ever read so
        return
    assert time_of(local.isoformat(" "), timezone=zone) - expected == timedelta(0)
