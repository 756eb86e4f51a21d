"""CDNOW: purchases of CDs; the sample on which models of customer lifetime value are compared."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import ibis
import pyarrow as pa
from ibis import _

from omniretail.core.engine import count
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.drop_counting import count_drops
from omniretail.sources.protocol import LOCATION

_COLUMNS = ("master id", "sample id", "date YYYYMMDD", "CDs", "dollars")
_CARD = DatasetCard(
    title="CDNOW",
    address="https://www.brucehardie.com/datasets/",
    terms="no licence stated; cite Fader and Hardie (2001), Interfaces 31",
    currency="USD",
    note="One cohort: the first purchase of every customer is in the first twelve weeks of 1997.",
)


class _Order(NamedTuple):
    user_id: str
    timestamp: datetime
    quantity: float
    value: float
    basket_id: int


@dataclass(frozen=True)
class CDNOW:
    """One line per order, columns between blanks: master id, sample id, date, CDs, dollars; no header.

    A tenth of the cohort that first bought at CDNOW in the first quarter of 1997, followed until June 1998 (Fader and
    Hardie, "Forecasting repeat sales at CDNOW: a case study", Interfaces 2001). ``user_id`` is the master id; the file
    has no products, so each ``item_id`` is ``CD``; dates become midnight UTC.

    Traps and their treatment:

    - orders of no CDs or fewer, and of less than $0, are no purchases: dropped (the sample has none);
    - orders of $0 (8 in the sample) are real orders, on which the published parameters depend: they stay, counted;
    - lines equal in every column (21 in the sample) may be two orders of a day: they stay, counted.

    Args:
        folder: contains ``CDNOW_sample.txt``.
    """

    folder: str | Path = field(metadata=LOCATION)

    def files(self) -> list[Path]:
        """See ``Source``."""
        return [Path(self.folder) / "CDNOW_sample.txt"]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        (path,) = self.files()
        orders = list(_orders(path))
        if not orders:
            raise DataError(f"{path} is empty: it needs one line per order, '{' '.join(_COLUMNS)}'")
        table = ibis.memtable(pa.table(dict(zip(_Order._fields, map(list, zip(*orders, strict=True)), strict=True))))
        rows, drops = count_drops(table, {"no CDs": _.quantity <= 0, "less than $0": _.value < 0})
        constants = {"item_id": "CD", "event_type": "purchase", "channel": "online"}
        events = rows.mutate(**{name: ibis.literal(value) for name, value in constants.items()})
        changes = {"order of $0, not dropped": count(rows.filter(_.value == 0))}
        changes["repeated line, not dropped"] = _repeats(orders)
        return Tables(_CARD, events, drops=drops, changes=changes)


def _orders(path: Path) -> Iterator[_Order]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for row, line in enumerate(file, start=1):
            if cells := line.split():
                yield _order(cells, path, row)


def _order(cells: list[str], path: Path, row: int) -> _Order:
    if len(cells) != len(_COLUMNS):
        raise DataError(f"{path}, row {row}: {len(cells)} columns instead of {len(_COLUMNS)} ({', '.join(_COLUMNS)})")
    place = [f"{path}, row {row}, column {number} ({name})" for number, name in enumerate(_COLUMNS, start=1)]
    return _Order(
        user_id=cells[0],
        timestamp=_date(cells[2], place[2]),
        quantity=_number(cells[3], place[3]),
        value=_number(cells[4], place[4]),
        basket_id=row,
    )


def _date(cell: str, place: str) -> datetime:
    try:
        return datetime.strptime(cell, "%Y%m%d")
    except ValueError:
        raise DataError(f"{place}: '{cell}' is not a date like 19970131") from None


def _number(cell: str, place: str) -> float:
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", cell):  # float() would also accept 'nan', 'inf' and '1_000'
        raise DataError(f"{place}: '{cell}' is not a number")
    return float(cell)


def _repeats(orders: list[_Order]) -> int:
    return sum(n - 1 for n in Counter(order[:-1] for order in orders).values())
