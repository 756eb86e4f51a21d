"""Columns of a stranger's file by name, and the setting that names the right one."""

import difflib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import ibis

from omniretail.core.overrides import override
from omniretail.schema import DataError
from omniretail.sources.parsing.delimited import delimiter_of
from omniretail.sources.parsing.layout import delimiter_override

_ALSO_CALLED = {
    "user_id": "user customer client member visitor buyer household account uid cid 用户 客户 会员",
    "item_id": "item product sku stockcode article goods movie asin track business iid pid 商品 产品",
    "timestamp": "timestamp time date datetime when ts created 时间 日期",
    "event_type": "event type behavior behaviour action 行为",
    "unit_price": "unitprice unit_price price_per_unit 单价",
    "value": "amount price total revenue sales spend 金额",
    "basket_id": "basket order invoice transaction receipt session 订单",
    "quantity": "quantity qty units count pieces 数量",
}
_DATA = re.compile(r"[\d\s.,:/T+Z-]*\d[\d\s.,:/T+Z-]*")
REQUIRED = ("user_id", "item_id", "timestamp")
_SHOWN, _UNLIKE = 20, 0.4


def mapped(
    table: ibis.Table,
    path: Path,
    columns: Mapping[str, str | None],
    setting: str,
    canonical: Sequence[str],
    required: Sequence[str],
) -> dict[str, str]:
    """Canonical name -> name in the file, of the columns that the file has.

    Args:
        table: from ``read_text``.
        path: for the message.
        columns: the user's mapping; null or left out: the canonical name, where the file has it.
        setting: that holds the mapping; for the message.
        canonical: names that may be mapped.
        required: names that the file must have.

    Raises:
        DataError: where the mapping names a missing column or one column twice, or a required column is neither mapped
            nor in the file.
    """
    unknown = sorted(set(columns) - set(canonical))
    if unknown:
        raise DataError(f"{setting}.{unknown[0]} is no column of this table; choose from {', '.join(canonical)}")
    taken = {column for name, column in columns.items() if column and column != name}
    names = {
        name: column_of(table, path, columns.get(name) or name, f"{setting}.{name}")
        for name in canonical
        if columns.get(name) or name in required or (name in table.columns and name not in taken)
    }
    column, times = Counter(names.values()).most_common(1)[0] if names else ("", 0)
    if times > 1:
        both = " and ".join(f"{setting}.{name}" for name, each in names.items() if each == column)
        raise DataError(f"{path}: {both} are one column, '{column}'; name another column for one of them")
    return names


def column_of(table: ibis.Table, path: Path, name: str, setting: str) -> str:
    """The name of a column, checked to be in the file.

    Args:
        table: from ``read_text``.
        path: for the message.
        name: of the column.
        setting: that names the column, such as ``source.columns.user_id``; for the message.

    Raises:
        DataError: with the setting that mends it: another delimiter, names for a file without them, or the nearest
            column of the file.
    """
    if name in table.columns:
        return name
    columns = list(table.columns)
    raise DataError(f"{path} has no column '{name}'; {_way_out(columns, name, setting)}")


def _way_out(columns: Sequence[str], name: str, setting: str) -> str:
    if len(columns) == 1 and (delimiter := delimiter_of(columns)):
        return f"set {delimiter_override(delimiter)}"
    if all(_DATA.fullmatch(re.sub(r"_\d+$", "", column)) for column in columns):
        names = override("source.header", _names_for(columns))
        return f"its first row looks like data, not like names: set {names}, in the order of its columns"
    listed = ", ".join(f"'{column}'" for column in columns[:_SHOWN])
    more = f" and {len(columns) - _SHOWN} more" if len(columns) > _SHOWN else ""
    match = nearest(columns, name, setting.rpartition(".")[2])
    return f"set {override(setting, match)} (the file has {listed}{more})"


def nearest(columns: Sequence[str], name: str, canonical: str = "") -> str | None:
    """The column whose name is most like the one that is missing, or like what people call that thing.

    None where no name is like it and a log may lack the column.

    >>> nearest(["InvoiceNo", "StockCode", "Customer ID"], "user_id", "user_id")
    'Customer ID'
    """
    words = [name, *(_ALSO_CALLED.get(canonical, "").split() if name == canonical else [])]
    similarity = {column: max(_similarity(column, word) for word in words) for column in columns}
    best = max(columns, key=similarity.__getitem__)
    return best if canonical in REQUIRED or similarity[best] > _UNLIKE else None


def similarity_to(column: str, canonical: str) -> float:
    """How much a column's name is like what people call a canonical one; 1 is equal."""
    return max(_similarity(column, word) for word in (canonical, *_ALSO_CALLED.get(canonical, "").split()))


def _similarity(column: str, word: str) -> float:
    a, b = (re.sub(r"[\W_]+", "", each.casefold()) for each in (column, word))
    same = difflib.SequenceMatcher(None, a, b).ratio()
    return max(same, 0.75 if len(b) > 1 and b in a else 0.0)


def _names_for(columns: Sequence[str]) -> list[str]:
    """Names in the order of the columns: the first that looks like a time, the others as they usually come."""
    time = next((place for place, each in enumerate(columns) if re.match(r"\d{4}-|\d{9,}", each)), None)
    others = iter(["user_id", "item_id", *(f"column{n}" for n in range(3, len(columns) + 3))])
    return ["timestamp" if place == time else next(others) for place in range(len(columns))]
