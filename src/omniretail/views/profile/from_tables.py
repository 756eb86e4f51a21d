"""The profile table from canonical tables, for logs that do not fit into memory.

``profile_table(dated_events(...))`` is an Ibis expression: ``.to_parquet(...)`` runs it on a cluster, ``.to_pandas()``
here. ``profile_frames`` computes the same from histories.
"""

from collections.abc import Sequence

import ibis
from ibis import _

from omniretail.core.times import epoch_seconds
from omniretail.core.timezones import local_clock
from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Cutoff, bought
from omniretail.views.fold import with_baskets

_DAY_S = 24 * 3600
_NOT_DESCRIBED = {"timestamp", "second", "event_type", "channel", "weight", "purchase"}


def dated_events(tables: Tables, cutoff: Cutoff, levels: Sequence[str] = ()) -> ibis.Table:
    """Input of ``profile_table`` and ``attribute_table``: the events before the cutoff.

    Args:
        tables: provide the item table and the time zone, but no event.
        cutoff: of a split by time.
        levels: columns of the item table for ``attribute_table``; each becomes text.

    Returns:
        ``user_id, item_id, basket, days_ago, clock``, the levels and, where the log has them, store and amounts.

    Raises:
        DataError: where the data or the split has no dates, or a level is missing.
    """
    if not tables.card.clock or cutoff.at is None:
        raise DataError("a profile needs dates: choose a source with times, and split=temporal")
    at = epoch_seconds(cutoff.at)
    events = with_baskets(bought(cutoff.before))
    spark = ibis.get_backend(events).name == "pyspark"
    clock = local_clock(events.timestamp.cast("timestamp"), tables.card.zone, spark)
    dated = events.mutate(days_ago=(at - _.second) / _DAY_S, clock=clock)
    return _with_attributes(dated.drop(*(set(dated.columns) & _NOT_DESCRIBED)), tables.items, levels)


def _with_attributes(events: ibis.Table, items: ibis.Table | None, levels: Sequence[str]) -> ibis.Table:
    if not levels:
        return events
    if items is None or not set(levels) <= set(items.columns):
        raise DataError(f"levels={list(levels)}: the item table does not have them all")
    attributes = items.select("item_id", **{level: items[level].cast("string") for level in levels})
    return events.left_join(attributes, "item_id").drop("item_id_right")
