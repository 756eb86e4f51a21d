"""Columns of a stranger's log, guessed from their names: for a first look, before settings are written down."""

from collections.abc import Mapping, Sequence

from omniretail.sources.parsing.column_names import similarity_to

_SURE = 0.75
_FIRST = (
    "timestamp",
    "user_id",
    "item_id",
    "event_type",
    "basket_id",
    "quantity",
    "unit_price",
    "value",
    "rating",
    "store_id",
)


def guessed_columns(
    columns: Sequence[str], mapping: Mapping[str, str | None], canonical: Sequence[str]
) -> dict[str, str | None]:
    """The mapping, and a column for each canonical name that it lacks and a column is surely named like.

    Args:
        columns: of the file.
        mapping: canonical name -> name in the file; these stay.
        canonical: names that may be mapped.

    >>> guessed_columns(["InvoiceDate", "Customer ID", "StockCode"], {}, ["user_id", "item_id", "timestamp"])
    {'timestamp': 'InvoiceDate', 'user_id': 'Customer ID', 'item_id': 'StockCode'}
    """
    chosen = {name: column for name, column in mapping.items() if column}
    chosen |= {name: name for name in canonical if name in columns and name not in chosen}
    for name in (each for each in _FIRST if each in canonical and each not in chosen):
        free = [column for column in columns if column not in chosen.values()]
        best = max(free, key=lambda column, name=name: similarity_to(column, name), default=None)
        if best is not None and similarity_to(best, name) >= _SURE:
            chosen[name] = best
    return dict(chosen)
