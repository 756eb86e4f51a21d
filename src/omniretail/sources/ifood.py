"""iFood: customers of a food retailer, their purchases per channel, and the campaigns that they accepted."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.schema import DatasetCard, Tables
from omniretail.sources.parsing.column_names import column_of
from omniretail.sources.parsing.drop_counting import count_drops
from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.parsing.time_cells import time
from omniretail.sources.parsing.typed_cells import Cell, check_cells, number
from omniretail.sources.protocol import LOCATION

CHANNELS = ("web", "catalogue", "store")
"""Those of ``<channel>_purchases`` and ``<channel>_share``."""

_FLAGS = {f"accepted_{number}": f"AcceptedCmp{number}" for number in range(1, 6)}
_FLAGS |= {"complained": "Complain", "response": "Response"}
_NUMBERS = {
    "birth_year": "Year_Birth",
    "income": "Income",
    "kids": "Kidhome",
    "teens": "Teenhome",
    "recency_days": "Recency",
    "spent_wine": "MntWines",
    "spent_fruit": "MntFruits",
    "spent_meat": "MntMeatProducts",
    "spent_fish": "MntFishProducts",
    "spent_sweets": "MntSweetProducts",
    "spent_gold": "MntGoldProds",
    "deal_purchases": "NumDealsPurchases",
    "web_purchases": "NumWebPurchases",
    "catalogue_purchases": "NumCatalogPurchases",
    "store_purchases": "NumStorePurchases",
    "web_visits_month": "NumWebVisitsMonth",
}
_TEXTS = {"education": "Education", "marital_status": "Marital_Status"}
_JOKES, _ALONE = ("YOLO", "Absurd"), ("Alone", "Single")
_DAY_S = 24 * 3600
_NO_INCOME, _OLDEST = 666_666, 1914  # a century before the data ends
_CARD = DatasetCard(
    title="iFood",
    address="https://github.com/nailson/ifood-data-business-analyst-test",
    terms="no licence stated; a hiring exercise that iFood published",
    note="One event per customer, the day they joined: purchases are counts without times, and campaigns have no "
    "dates, so this data is not for recommenders.",
)


@dataclass(frozen=True)
class IFood:
    """A table of customers, one row each; there is no log.

    The only date is the day on which a customer joined, so that is the one event (``join``, of the item
    ``membership``). Counts of purchases have no times and campaigns no dates, so they are attributes of the customer,
    not events or offers. ``web_share``, ``catalogue_share`` and ``store_share`` are shares of the purchases through
    these three channels, null for customers without purchases; ``accepted_1`` to ``accepted_5`` are the earlier
    campaigns, ``response`` is the last one.

    Traps and their treatment:

    - rows that repeat another in all but the id (182) would be in both parts of a cross-validation: dropped;
    - rows that differ from another in id and response alone (19) stay, counted; ``same`` holds the first id of such
      rows, so that a split can put them into one fold;
    - an income of 666,666, birth years before 1914 (three, from 1893) and the marital statuses YOLO and Absurd are no
      true values: set to null, counted; income is missing in 24 rows more;
    - ``Alone`` (3) is ``Single``;
    - ``Z_CostContact`` and ``Z_Revenue`` are equal in all rows: left out.

    Args:
        folder: contains ``ml_project1_data.csv``.
    """

    folder: str | Path = field(metadata=LOCATION)

    def files(self) -> list[Path]:
        """See ``Source``."""
        return [Path(self.folder) / "ml_project1_data.csv"]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where a column is missing, or a cell cannot be parsed.
        """
        (path,) = self.files()
        table = read_text(connection, path)
        cells = _cells()
        for name in (*_TEXTS.values(), *(cell.column for cell in cells.values())):
            column_of(table, path, name, "the header")
        check_cells(table, path, cells)
        with plain_errors(path):
            typed = table.select(**{name: cell.value for name, cell in cells.items()}, **_TEXTS)
            rows, drops = count_drops(_numbered(typed), _REASONS)
            sums = [condition.sum().fill_null(0).name(what) for what, condition in _CHANGES.items()]
            (changes,) = rows.aggregate(sums).to_pyarrow().to_pylist()  # one scan
        constants = {"item_id": "membership", "event_type": "join", "channel": "unknown"}
        literals = {name: ibis.literal(value) for name, value in constants.items()}
        events = rows.select("user_id", timestamp="joined", **literals)
        return Tables(_CARD, events, users=_users(rows), drops=drops, changes=changes)


def _cells() -> dict[str, Cell]:
    whole = Cell("ID", _.ID.re_search(r"^\d{1,18}$").ifelse(_.ID.try_cast("int64"), None), "a whole number")
    flags = {name: Cell(column, _flag(column), "0 or 1") for name, column in _FLAGS.items()}
    numbers = {name: number(column) for name, column in _NUMBERS.items()}
    return {"user_id": whole, "joined": time("Dt_Customer", "%Y-%m-%d", "UTC")} | numbers | flags


def _flag(column: str) -> Any:
    return _[column].re_search("^[01]$").ifelse(_[column].try_cast("int64"), None)


_REASONS = {
    "no customer": _.user_id.isnull(),
    "no day of joining": _.joined.isnull(),
    "no response": _.response.isnull(),
    "copy of another customer": _.copy > 0,
}
_CHANGES = {
    f"income {_NO_INCOME:,}, emptied": _.income == _NO_INCOME,
    f"born before {_OLDEST}, emptied": _.birth_year < _OLDEST,
    "marital status that is none, emptied": _.marital_status.isin(_JOKES),
    f"marital status {_ALONE[0]}, made {_ALONE[1]}": _.marital_status == _ALONE[0],
    "equal to another but for the response, not dropped": _.variant > 0,
}


def _numbered(typed: ibis.Table) -> ibis.Table:
    """Each row's number among its copies and, ignoring the response, among its variants; and the first id of these."""
    same = [name for name in typed.columns if name not in ("user_id", "response")]
    copy = ibis.row_number().over(group_by=[*same, "response"], order_by="user_id")
    variant = ibis.dense_rank().over(group_by=same, order_by="response")
    return typed.mutate(copy=copy, variant=variant, same=_.user_id.min().over(group_by=same))


def _users(rows: ibis.Table) -> ibis.Table:
    total = sum((_[f"{channel}_purchases"] for channel in CHANNELS[1:]), start=_[f"{CHANNELS[0]}_purchases"])
    shares = {f"{channel}_share": _[f"{channel}_purchases"] / _.purchases.nullif(0) for channel in CHANNELS}
    status = _.marital_status
    return (
        rows.mutate(
            income=_.income.nullif(_NO_INCOME),
            birth_year=(_.birth_year < _OLDEST).ifelse(None, _.birth_year),
            marital_status=status.isin(_JOKES).ifelse(None, (status == _ALONE[0]).ifelse(_ALONE[1], status)),
            tenure_days=((_.joined.epoch_seconds().max().over() - _.joined.epoch_seconds()) / _DAY_S).cast("float64"),
            purchases=total,
        )
        .mutate(**shares)
        .drop("copy", "variant", "purchases")
    )
