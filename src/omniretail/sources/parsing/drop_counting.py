"""Which rows stay: each one left out is counted once, under the first reason that holds."""

from collections.abc import Mapping

import ibis
from ibis import Deferred, _

from omniretail.core.engine import count


def count_drops(rows: ibis.Table, reasons: Mapping[str, Deferred]) -> tuple[ibis.Table, dict[str, int]]:
    """Leave out every row that some reason speaks against.

    Args:
        rows: what the file holds.
        reasons: name -> condition, in order of precedence; a condition that is null does not hold.

    Returns:
        The rows that stay, and rows left out by reason, zeros included: rows in = rows out + their sum.
    """
    judged = rows.mutate(_reason=ibis.cases(*((condition, name) for name, condition in reasons.items())))
    counted = judged.group_by("_reason").agg(rows=_.count()).to_pyarrow().to_pylist()
    by_reason = {found["_reason"]: found["rows"] for found in counted}
    stay = judged.filter(_["_reason"].isnull()).drop("_reason")
    return stay, {name: by_reason.get(name, 0) for name in reasons}


def count_duplicates(rows: ibis.Table) -> tuple[ibis.Table, dict[str, int]]:
    """Keep one of each set of rows that are equal in every column; the others are counted."""
    once = rows.distinct()
    return once, {"exact duplicate": count(rows) - count(once)}
