"""UCI Online Retail: a year of invoices of a British gift wholesaler."""

from dataclasses import dataclass, field
from pathlib import Path

import ibis
from ibis import _

from omniretail.schema import DatasetCard, Tables
from omniretail.sources.parsing.column_names import column_of
from omniretail.sources.parsing.drop_counting import count_drops, count_duplicates
from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.parsing.time_cells import time
from omniretail.sources.parsing.typed_cells import Cell, check_cells, number
from omniretail.sources.protocol import LOCATION

_COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
_PRODUCT = r"^(\d{5}[A-Za-z]{0,2}|DCGS\w+|PADS)$"
_CARD = DatasetCard(
    title="UCI Online Retail",
    address="https://archive.ics.uci.edu/dataset/352/online+retail",
    terms="CC BY 4.0; cite Chen, Sain and Guo (2012), doi 10.1057/dbm.2012.17",
    currency="GBP",
    note="Many customers are wholesalers.",
)


@dataclass(frozen=True)
class UCIOnlineRetail:
    """One row per invoice line; times are London's.

    Rows are dropped and counted under the first reason that applies: cancelled invoices (number begins with C); no
    customer; quantity not positive (stock corrections); price not positive (gifts, bad-debt entries); codes that are no
    product, such as POST, M, BANK CHARGES and gift vouchers (a product is five digits with at most two letters, DCGS…
    or PADS); exact duplicates. Codes that differ in case only (85123a) all lack customers, so none is left to merge.

    ``value`` is quantity × unit price. An item's ``name`` is its most frequent description, a user's ``country`` that
    of most of their rows (8 users have two).

    Args:
        folder: contains ``online_retail.csv.gz``.
    """

    folder: str | Path = field(metadata=LOCATION)

    def files(self) -> list[Path]:
        """See ``Source``."""
        return [Path(self.folder) / "online_retail.csv.gz"]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        (path,) = self.files()
        table = read_text(connection, path)
        for name in _COLUMNS:
            column_of(table, path, name, "the header")
        cells = {
            "timestamp": time("InvoiceDate", None, "Europe/London"),
            "quantity": number("Quantity"),
            "price": number("UnitPrice"),
        }
        check_cells(table, path, cells)
        with plain_errors(path):
            rows, drops = count_drops(table, _reasons(cells))
            rows, repeats = count_duplicates(rows)
        return Tables(
            card=_CARD,
            events=_events(rows, cells),
            users=_most_frequent(rows.select(user_id="CustomerID", country="Country"), "user_id", "country"),
            items=_most_frequent(rows.select(item_id="StockCode", name="Description"), "item_id", "name"),
            drops=drops | repeats,
        )


def _reasons(cells: dict[str, Cell]) -> dict:
    return {
        "cancelled": _.InvoiceNo.startswith("C"),
        "no customer": _.CustomerID.isnull(),
        "quantity not positive": cells["quantity"].value <= 0,
        "price not positive": cells["price"].value <= 0,
        "not a product": ~_.StockCode.re_search(_PRODUCT),
    }


def _events(rows: ibis.Table, cells: dict[str, Cell]) -> ibis.Table:
    quantity, price = cells["quantity"].value, cells["price"].value
    return rows.select(
        user_id="CustomerID",
        item_id="StockCode",
        timestamp=cells["timestamp"].value,
        event_type=ibis.literal("purchase"),
        channel=ibis.literal("online"),
        basket_id="InvoiceNo",
        quantity=quantity,
        value=(quantity * price).round(2),
    )


def _most_frequent(rows: ibis.Table, key: str, value: str) -> ibis.Table:
    """One row per key with its most frequent value; ties: the first in the alphabet; null where there is none."""
    counted = rows.group_by(key, value).agg(n=_.count())
    best_first = [_[value].isnull(), _.n.desc(), _[value]]
    ranked = counted.mutate(rank=ibis.row_number().over(group_by=key, order_by=best_first))
    return ranked.filter(_["rank"] == 0).select(key, value)
