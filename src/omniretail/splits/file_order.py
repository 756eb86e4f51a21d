"""The order of the file, where times tie."""

import logging
from typing import Any

import ibis
from ibis import _

log = logging.getLogger(__name__)


def in_file_order(events: ibis.Table) -> ibis.Table:
    """Events with ``file_order``, the number of each row in its table, from 0; a table that has it stays as it is.

    Canonical events lie by user and time, those of one moment as in the raw file. Joins, groups and windows lose that
    order, so it is numbered before them.
    """
    return events if "file_order" in events.columns else events.mutate(file_order=ibis.row_number())


def log_ties_at_cut(before: ibis.Table, held_out: ibis.Table) -> None:
    """Log for how many of the judged users an event that is learned from has the time of the one held out."""
    first = held_out.group_by("user_id").agg(_cut=_.timestamp.min())
    last = before.group_by("user_id").agg(_last=_.timestamp.max())
    joined: Any = first.left_join(last, "user_id")
    counts = (
        joined.agg(users=joined.count(), tied=(joined["_last"] >= joined["_cut"]).fill_null(False).sum())
        .to_pyarrow()
        .to_pylist()[0]
    )
    if counts["tied"]:
        share = counts["tied"] / counts["users"]
        log.info(
            "%d of %d judged users (%.1f %%) have ties in time at the cut: the file's order decides what is held out",
            *(counts["tied"], counts["users"], 100 * share),
        )
