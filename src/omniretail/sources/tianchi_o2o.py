"""Tianchi O2O: coupons that customers fetch and use in stores, and an online log; the contest's three files."""

import weakref
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import ibis
from ibis import _

from omniretail.core.engine import count
from omniretail.core.timezones import try_strptime
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.column_names import column_of
from omniretail.sources.parsing.drop_counting import count_drops, count_duplicates
from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.parsing.typed_cells import Cell, check_cells
from omniretail.sources.protocol import LOCATION

DAYS_TO_USE = 15
"""A receipt counts as used where the coupon is used within so many days."""

_OFFLINE, _ONLINE = "ccf_offline_stage1_train.csv", "ccf_online_stage1_train.csv"
_TEST = "ccf_offline_stage1_test_revised.csv"
_RECEIVED = ("User_id", "Merchant_id", "Coupon_id", "Discount_rate", "Distance", "Date_received")
_COLUMNS = {
    _OFFLINE: (*_RECEIVED, "Date"),
    _ONLINE: ("User_id", "Merchant_id", "Action", "Coupon_id", "Discount_rate", "Date_received", "Date"),
    _TEST: _RECEIVED,
}
_CLICK, _BUY, _FETCH = 0, 1, 2  # Action
_LIMITED, _STEP_M = "fixed", 500.0  # a limited-time price; what a step of Distance stands for
_CARD = DatasetCard(
    title="Tianchi O2O",
    address="https://tianchi.aliyun.com/dataset/59",
    terms="those of the Tianchi platform, accepted with an account",
    currency="CNY",
)
_UNLABELLED = "Only the contest's test file was read: coupons received in July 2016, without outcomes."


@dataclass(frozen=True)
class TianchiO2O:
    """Coupons received and used, purchases and clicks from January to June 2016, and coupons received in July.

    The log has merchants but no products, so the merchant is the item (a recommender recommends where to go next) and,
    offline, the store as well; a chain is one merchant. Events are ``receive`` (customers fetch coupons themselves),
    ``purchase`` and, online, ``click``. Dates become midnight UTC.

    An offer is a coupon as handed out on one day: the contest counts 15 days from the receipt, and when coupons expire
    is not published. ``offer_id`` is ``coupon@YYYYMMDD``; ``end``, exclusive, lies 16 days after ``start``;
    ``coupon_id`` is a column of its own. ``kind`` is ``money_off`` (``30:5``: 5 off from 30 on) or ``rate``
    (``0.9``), ``discount`` the largest share taken off (5 / 30, or .1); ``min_spend`` and ``off`` are money.
    A mailing in ``offer_events`` has ``distance_m`` from the customer's most frequent place to the merchant's nearest
    store: 0 stands for less than 500 m, 5000 for more than 5 km.

    Traps and their treatment:

    - lines end in CRLF, and ``null`` stands for an empty cell;
    - rows that contradict themselves are dropped, each counted under the first reason that applies;
    - rows with a coupon that are equal in every column (837 in July) are one row written twice: dropped; equal clicks,
      and equal purchases without a coupon, may be several of one day: they stay;
    - ``fixed`` is a limited-time price without a receipt: a purchase without an offer, counted.

    Args:
        folder: contains the three files, or the test file alone: receipts without outcomes, as the card then says.
    """

    folder: str | Path = field(metadata=LOCATION)

    def files(self) -> list[Path]:
        """See ``Source``; the two training files come together or not at all."""
        train, test = [Path(self.folder) / name for name in (_OFFLINE, _ONLINE)], Path(self.folder) / _TEST
        if not any(path.is_file() for path in train):
            return [test]
        return [*train, test] if test.is_file() else train

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where a file has other columns than the contest's, or a cell cannot be parsed.
        """
        paths = self.files()
        with ExitStack() as parsed:  # each file once, into a folder that exists as long as the events that read it
            folder = Path(parsed.enter_context(TemporaryDirectory()))
            tables = _tables([_staged(connection, path, folder) for path in paths])
            weakref.finalize(tables.events, parsed.pop_all().close)
        return replace(tables, card=replace(_CARD, note=_UNLABELLED)) if paths[0].name == _TEST else tables


def _tables(files: list[ibis.Table]) -> Tables:
    rows, drops = count_drops(_union(files), _REASONS)
    coupons, repeats = count_duplicates(rows.filter(_HAS_COUPON).mutate(offer_id=_offer_id()))
    others, receipts = rows.filter(~_HAS_COUPON), _receipts(coupons)
    changes = {
        "limited-time price, taken as a purchase without an offer": count(others.filter(_.limited)),
        "receipt of a coupon that the customer had got that day, made one": count(coupons) - count(receipts),
    }
    return Tables(
        card=_CARD,
        events=_events(receipts, coupons, others),
        stores=rows.filter(_.channel == "offline").select(store_id="merchant_id").distinct(),
        offers=_offers(coupons),
        offer_items=coupons.select("offer_id", item_id="merchant_id").distinct(),
        offer_events=_offer_events(receipts, coupons),
        drops=drops | repeats,
        changes=changes,
    )


def _staged(connection: ibis.BaseBackend, path: Path, folder: Path) -> ibis.Table:
    staged = folder / f"{path.stem}.parquet"
    with plain_errors(path):
        connection.to_parquet(_rows(connection, path), staged)
    return connection.read_parquet(staged)


def _union(tables: list[ibis.Table]) -> ibis.Table:
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _rows(connection: ibis.BaseBackend, path: Path) -> ibis.Table:
    """One file's rows, typed; columns that the file lacks are null."""
    table = read_text(connection, path)
    for name in _COLUMNS[path.name]:
        column_of(table, path, name, "the header")
    if unknown := [name for name in table.columns if name not in _COLUMNS[path.name]]:
        raise DataError(f"{path} has a column '{unknown[0]}'; the contest's file has {', '.join(_COLUMNS[path.name])}")
    cells = {name: cell for name, cell in _CELLS.items() if cell.column in table.columns}
    check_cells(table, path, cells)
    typed = table.select(
        **{name: cell.value if name in cells else ibis.null(_TYPES[name]) for name, cell in _CELLS.items()}
    )
    no_coupon = ((_.coupon_id < 0) | (_.action == _CLICK)).fill_null(False)
    return typed.mutate(
        limited=(_.coupon_id < 0).fill_null(False),
        coupon_id=no_coupon.ifelse(None, _.coupon_id),
        channel=ibis.literal("online" if path.name == _ONLINE else "offline"),
    )


def _offer_id() -> Any:
    return _.coupon_id.cast("string") + "@" + _.received.strftime("%Y%m%d")


def _whole(column: str, pattern: str = r"^\d{1,18}$", kind: str = "a whole number") -> Cell:
    return Cell(column, _[column].re_search(pattern).ifelse(_[column].try_cast("int64"), None), kind)


def _day(column: str) -> Cell:
    value = _[column].re_search(r"^\d{8}$").ifelse(try_strptime(_[column], "%Y%m%d"), None)
    return Cell(column, value, "a date like 20160131")


def _coupon() -> Cell:
    whole = _whole("Coupon_id")
    return Cell("Coupon_id", (_.Coupon_id == _LIMITED).ifelse(-1, whole.value), f"a whole number or '{_LIMITED}'")


def _discount() -> Cell:
    form = r"^([1-9]\d*(\.\d+)?:\d+(\.\d+)?|0\.\d+|fixed)$"
    return Cell("Discount_rate", _.Discount_rate.re_search(form).ifelse(_.Discount_rate, None), "like 30:5 or 0.9")


_CELLS = {
    "user_id": _whole("User_id"),
    "merchant_id": _whole("Merchant_id"),
    "action": _whole("Action", "^[012]$", "0, 1 or 2"),
    "coupon_id": _coupon(),
    "discount_rate": _discount(),
    "distance": _whole("Distance", r"^(\d|10)$", "a code from 0 to 10"),
    "received": _day("Date_received"),
    "date": _day("Date"),
}
_TYPES = {name: "string" if name == "discount_rate" else "int64" for name in _CELLS}
_TYPES |= {"received": "timestamp", "date": "timestamp"}
_HAS_COUPON = _.coupon_id.notnull()
_REASONS = {
    "no customer or merchant": _.user_id.isnull() | _.merchant_id.isnull(),
    "neither a coupon nor a date": _.coupon_id.isnull() & _.date.isnull(),
    "receipt of no coupon": _.coupon_id.isnull() & (_.action == _FETCH),
    "used without having been received": _HAS_COUPON & _.received.isnull() & _.date.notnull(),
    "coupon without the day of its receipt": _HAS_COUPON & _.received.isnull(),
    "coupon without a discount": _HAS_COUPON & (_.discount_rate.isnull() | (_.discount_rate == _LIMITED)),
    "used before it was received": _HAS_COUPON & (_.date < _.received),
    "online purchase without a date": (_.action == _BUY) & _.date.isnull(),
}


def _receipts(coupons: ibis.Table) -> ibis.Table:
    """One row per customer, coupon and day."""
    metres = _.distance.min().cast("float64") * _STEP_M
    by = coupons.group_by("user_id", "offer_id", "received", "channel")
    return by.agg(merchant_id=_.merchant_id.min(), distance_m=metres)


def _used(coupons: ibis.Table) -> ibis.Table:
    return coupons.filter(_.date.notnull(), (_.action == _BUY) | _.action.isnull())


def _offers(coupons: ibis.Table) -> ibis.Table:
    by = coupons.group_by("offer_id").agg(
        coupon_id=_.coupon_id.min(), start=_.received.min(), channel=_.channel.min(), rate=_.discount_rate.min()
    )
    parts = by.mutate(parts=_.rate.split(":"), money=_.rate.contains(":"))
    amounts = parts.mutate(
        min_spend=_.money.ifelse(_.parts[0].cast("float64"), None),
        off=_.money.ifelse(_.parts[1].try_cast("float64"), None),
        left=_.money.ifelse(None, _.parts[0].cast("float64")),
    )
    return amounts.select(
        "offer_id",
        "coupon_id",
        "start",
        "channel",
        "min_spend",
        "off",
        end=_.start + ibis.interval(days=DAYS_TO_USE + 1),
        kind=_.money.ifelse("money_off", "rate"),
        discount=_.money.ifelse(_.off / _.min_spend.nullif(0), 1 - _.left).round(6),
    )


def _events(receipts: ibis.Table, coupons: ibis.Table, others: ibis.Table) -> ibis.Table:
    received = receipts.mutate(timestamp=_.received.cast("timestamp"), event_type=ibis.literal("receive"))
    dated = [table.mutate(timestamp=_.date.cast("timestamp")) for table in (_used(coupons), others)]
    done = [each.mutate(event_type=(_.action == _CLICK).fill_null(False).ifelse("click", "purchase")) for each in dated]
    return _union(
        [
            each.select(
                "user_id",
                "timestamp",
                "event_type",
                "channel",
                item_id="merchant_id",
                store_id=(_.channel == "offline").ifelse(_.merchant_id, None),
            )
            for each in (received, *done)
        ]
    )


def _offer_events(receipts: ibis.Table, coupons: ibis.Table) -> ibis.Table:
    sent = receipts.mutate(timestamp=_.received.cast("timestamp"), event_type=ibis.literal("sent"))
    redeemed = _used(coupons).mutate(
        timestamp=_.date.cast("timestamp"),
        event_type=ibis.literal("redeemed"),
        distance_m=_.distance.cast("float64") * _STEP_M,
    )
    columns = ("user_id", "offer_id", "timestamp", "event_type", "distance_m")
    store = (_.channel == "offline").ifelse(_.merchant_id, None)
    return _union([each.select(*columns, store_id=store) for each in (sent, redeemed)])
