"""From canonical tables straight to the profile table's rows: for logs that do not fit into memory.

The engine does everything, so ``profile_table(dated_events(...))`` stays an expression until somebody writes or reads
it: ``.to_parquet(...)`` on a cluster, ``.to_pandas()`` here. ``profile_frames`` is the same from histories.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

import ibis
from ibis import _

from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Cutoff
from omniretail.views.fold import with_baskets

_DAY_S = 24 * 3600


# An ibis cast to a zoned timestamp reads the clock in the session's zone, so the engines' own functions are called:
# DuckDB's ``timezone`` makes an instant of a reading, and of an instant the reading in another zone; Spark has one
# function for both.
@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp"), "timestamp('UTC')"))
def _instant(zone: Any, reading: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="timezone", signature=(("string", "timestamp('UTC')"), "timestamp"))
def _reading(zone: Any, instant: Any) -> Any: ...


@ibis.udf.scalar.builtin(name="from_utc_timestamp", signature=(("timestamp", "string"), "timestamp"))
def _spark_reading(utc: Any, zone: Any) -> Any: ...


def dated_events(tables: Tables, cutoff: Cutoff, levels: Sequence[str] = ()) -> ibis.Table:
    """What ``profile_table`` and ``word_table`` read, of the events before the cutoff.

    Args:
        tables: the item table and the zone are taken from them, and no event.
        cutoff: with a moment.
        levels: columns of the item table that ``word_table`` shall count; each becomes text.

    Returns:
        ``user_id, item_id, basket, days_ago, clock``, the levels and, where the log has them, store and amounts.

    Raises:
        DataError: where the data or the split knows no dates, or a level is missing.
    """
    if not tables.card.clock or cutoff.at is None:
        raise DataError("a profile needs dates: choose a source with a clock and a split by time")
    at = int(cutoff.at.replace(tzinfo=UTC).timestamp())
    events = with_baskets(cutoff.before)
    spark = ibis.get_backend(events).name == "pyspark"
    clock = local_clock(events.timestamp.cast("timestamp"), tables.card.zone, spark)
    dated = events.mutate(days_ago=(at - _.second) / _DAY_S, clock=clock)
    return _with_words(dated.drop("timestamp", "second", "event_type", "channel"), tables.items, levels)


def local_clock(utc: Any, zone: str, spark: bool = False) -> Any:
    """UTC as the customers' clocks read it.

    Args:
        utc: a column of timestamps without a zone.
        zone: IANA name, such as ``Europe/London``.
        spark: for a Spark session, whose own zone must be UTC; else for DuckDB.
    """
    if zone == "UTC":
        return utc
    return _spark_reading(utc, zone) if spark else _reading(zone, _instant("UTC", utc))


def _with_words(events: ibis.Table, items: ibis.Table | None, levels: Sequence[str]) -> ibis.Table:
    if not levels:
        return events
    if items is None or not set(levels) <= set(items.columns):
        raise DataError(f"levels={list(levels)}: the item table does not have them all")
    words = items.select("item_id", **{level: items[level].cast("string") for level in levels})
    return events.left_join(words, "item_id").drop("item_id_right")
