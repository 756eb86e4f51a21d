"""Dropped rows, each counted once, under the first reason that applies."""

from collections.abc import Mapping

import ibis
from ibis import Deferred, _

from omniretail.core.engine import count


def count_drops(rows: ibis.Table, reasons: Mapping[str, Deferred]) -> tuple[ibis.Table, dict[str, int]]:
    """Drop every row to which a reason applies.

    Args:
        rows: of the file.
        reasons: name -> condition, in order of precedence; a condition that is null does not apply.

    Returns:
        The remaining rows, and the number of dropped rows by reason, zeros included: rows in = rows out + their sum.
    """
    marked = rows.mutate(_reason=ibis.cases(*((condition, name) for name, condition in reasons.items())))
    counts = marked.group_by("_reason").agg(rows=_.count()).to_pyarrow().to_pylist()
    by_reason = {count["_reason"]: count["rows"] for count in counts}
    remaining = marked.filter(_["_reason"].isnull()).drop("_reason")
    return remaining, {name: by_reason.get(name, 0) for name in reasons}


def count_duplicates(rows: ibis.Table) -> tuple[ibis.Table, dict[str, int]]:
    """Drop rows that repeat another in every column, and count them."""
    once = rows.distinct()
    return once, {"exact duplicate": count(rows) - count(once)}
