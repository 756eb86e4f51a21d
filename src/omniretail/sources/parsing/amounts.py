"""What the rows of a log are worth: unit prices times quantities, and refunds."""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.core.overrides import override
from omniretail.schema import DataError
from omniretail.signals import Signals


def check_price(names: dict[str, str], columns: Mapping[str, str | None], path: Path) -> None:
    """Leave one of a unit price and a value in ``names``: the one that a setting names, else the value.

    Args:
        names: canonical name -> name in the file.
        columns: the settings among them.
        path: for the message.

    Raises:
        DataError: where settings name both.
    """
    if "unit_price" not in names:
        return
    if "value" in names and not (columns.get("value") and columns.get("unit_price")):
        del names["unit_price" if columns.get("value") or not columns.get("unit_price") else "value"]
    elif "value" in names:
        raise DataError(
            f"{path}: source.columns names a value and a unit price, of which one is enough; "
            f"set {override('source.columns.unit_price', None)} or {override('source.columns.value', None)}"
        )


def with_value(rows: ibis.Table) -> ibis.Table:
    """Rows with a value, of a unit price times the quantity; a row without a quantity is one piece."""
    if "unit_price" not in rows.columns:
        return rows
    pieces: Any = rows.quantity.fill_null(ibis.literal(1.0)) if "quantity" in rows.columns else 1.0
    return rows.mutate(value=_.unit_price * pieces).drop("unit_price")


def with_refunds(events: ibis.Table, signals: Signals) -> tuple[ibis.Table, dict[str, int]]:
    """Purchases of a negative quantity or value as refunds, of a positive quantity.

    Args:
        events: canonical, with a quantity or a value.
        signals: what their event types mean.

    Returns:
        The events, and the number of refunds by the kind of change.
    """
    amounts: list[Any] = [events[name] for name in ("quantity", "value") if name in events.columns]
    negative = reduce(or_, [(each < 0).fill_null(False) for each in amounts])
    counted = events.filter(negative).group_by("event_type").agg(n=_.count()).to_pyarrow().to_pylist()
    bought = {each["event_type"]: each["n"] for each in counted if signals.signal(each["event_type"]) == "purchase"}
    if not (n := sum(bought.values())):
        return events, {}
    kind: Any = events.event_type
    refund = negative & kind.isin(list(bought))
    quantity = {"quantity": amounts[0].abs()} if "quantity" in events.columns else {}
    return events.mutate(event_type=refund.ifelse("refund", events.event_type), **quantity), {
        "refunds by their sign": n
    }
