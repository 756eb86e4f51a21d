"""A simulated retailer with stores and an online shop, whose known truth tests estimators."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.simulator.shopping import COUPONS, Shopping, shop
from omniretail.sources.simulator.world import CAMPAIGN_WEEKS, FIRST_CAMPAIGN, World, draw_world

START = np.datetime64("2024-01-01", "us")  # a Monday
_BATCH = 50_000  # customers: bounds memory beside the log itself


@dataclass(frozen=True)
class Simulate:
    """Customers with places, tastes and habits; stores with assortments and stock-outs; coupons sent at random.

    Every four weeks each customer with an earlier visit is sent a coupon with probability ``sent_share``; it multiplies
    their rate of visits for two weeks by a factor of their own. ``world()`` holds this factor and the rest of the
    truth. Customers, stores, items and offers are numbered from 1 in the order of the world's arrays.

    Args:
        n_customers: customers, of whom a few never visit.
        n_items: items.
        n_stores: stores; None: one for 250 customers, and at least eight.
        n_weeks: length of the log.
        distance_decay: by how much the log odds of a store fall per km.
        size_pull: by how much they rise with the logarithm of its size.
        channel_effect: logarithm of the factor on a visit's lines beyond the first, online against stores.
        stock_out: probability that a store is out of an item of its assortment for a week.
        sent_share: probability that a customer with an earlier visit is sent a campaign's coupon.
        arms: different coupons of a campaign, 1 or 2; each is an offer of its own with the campaign's dates. The
            second's discount is larger, and attracts more customers.
        seed: of all draws.

    Raises:
        DataError: where a setting is out of range.
    """

    n_customers: int = 1000
    n_items: int = 1000
    n_stores: int | None = None
    n_weeks: int = 26
    distance_decay: float = 0.35
    size_pull: float = 1.0
    channel_effect: float = 0.4
    stock_out: float = 0.05
    sent_share: float = 0.5
    arms: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        least = {"n_customers": 1, "n_items": 20, "n_weeks": FIRST_CAMPAIGN + CAMPAIGN_WEEKS}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise DataError(f"source.{name}={getattr(self, name)}: it must be {bound} or more")
        if not 1 <= self.arms <= len(COUPONS):
            raise DataError(f"source.arms={self.arms} must be 1 or {len(COUPONS)}, the number of different coupons")
        for name in ("stock_out", "sent_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"source.{name}={getattr(self, name)} must lie between 0 and 1")

    def files(self) -> list[Path]:
        """See ``Source``; there are none."""
        return []

    def world(self) -> World:
        """The truth."""
        return self._world

    @cached_property
    def _world(self) -> World:
        n_stores = self.n_stores or max(8, self.n_customers // 250)
        sizes = self.n_customers, n_stores, self.n_items, self.n_weeks
        return draw_world(*sizes, self.distance_decay, self.size_pull, self.seed)

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        world, events, offer_events, visits, substituted = self._world, [], [], 0, 0
        for batch in self._shopping():
            events.append(_events(world, batch, visits))
            offer_events.append(_offer_events(world, batch))
            visits += len(batch.visitor)
            substituted += batch.substituted
        lines = ibis.memtable(pa.concat_tables(events))
        attributes = {name: ibis.memtable(table) for name, table in _attributes(world, self.arms).items()}
        return Tables(
            card=_card(self),
            events=lines.mutate(
                quantity=ibis.literal(1).cast("float64"),
                event_type=ibis.literal("purchase"),
                channel=_online(_.store_id.isnull()),
            ),
            users=attributes["users"],
            items=attributes["items"],
            stores=attributes["stores"],
            offers=attributes["offers"],
            offer_items=attributes["offer_items"],
            offer_events=ibis.memtable(pa.concat_tables(offer_events)),
            changes={"out of stock, another item bought": substituted},
        )

    def _shopping(self) -> Iterator[Shopping]:
        for start in range(0, self.n_customers, _BATCH):
            customers = np.arange(start, min(start + _BATCH, self.n_customers))
            yield shop(
                self._world, customers, self.channel_effect, self.stock_out, self.sent_share, self.seed, self.arms
            )


def _online(online: Any) -> Any:
    return online.ifelse("online", "offline")


def _card(source: Simulate) -> DatasetCard:
    return DatasetCard(
        title="Simulated retailer (synthetic)",
        terms="made by this program, free to use",
        currency="EUR",
        note=f"Synthetic: every event was drawn by a program (seed {source.seed}) from a known truth; it tests methods "
        "and is no evidence about real customers.",
    )


def _events(world: World, batch: Shopping, visits_before: int) -> pa.Table:
    visit = batch.visit
    store = batch.store[visit]
    return pa.table(
        {
            "user_id": (batch.visitor[visit] + 1).astype(np.int32),
            "item_id": (batch.item + 1).astype(np.int32),
            "timestamp": START + batch.second[visit].astype("timedelta64[s]"),
            "store_id": pa.array((store + 1).astype(np.int32), mask=store < 0),
            "basket_id": visit + visits_before + 1,
            "value": np.round(world.price[batch.item] - batch.discount, 2),
            "discount": np.round(batch.discount, 2),
            "coupon": np.round(batch.coupon, 2),
        }
    )


def _offer_events(world: World, batch: Shopping) -> pa.Table:
    (campaign, customer, arm), (redeemed, visit, used) = batch.sent, batch.redeemed
    n = len(world.starts)
    return pa.table(
        {
            "user_id": np.concatenate([customer, batch.visitor[visit]]) + 1,
            "offer_id": np.concatenate([campaign + n * (arm - 1), redeemed + n * (used - 1)]) + 1,
            "timestamp": np.concatenate([_week(world.starts[campaign]), START + batch.second[visit].astype("m8[s]")]),
            "event_type": np.repeat(["sent", "redeemed"], [len(campaign), len(redeemed)]),
        }
    )


def _attributes(world: World, arms: int) -> dict[str, pa.Table]:
    """The tables of customers, items and stores with attributes that a shop knows, and of offers and their items."""
    starts = np.tile(world.starts, arms)  # of each offer: the first coupon of every campaign, then the second
    number = [np.arange(1, len(each) + 1) for each in (world.home, world.category, world.place, starts)]
    categories = np.array([f"Category {number:02d}" for number in range(1, len(world.staple) + 1)])
    offer, item = np.nonzero(np.tile(world.offered, (arms, 1))[:, world.category])
    return {
        "users": pa.table({"user_id": number[0], **_place(world.home)}),
        "items": pa.table(
            {
                "item_id": number[1],
                "name": [f"Product {each}" for each in number[1]],
                "category": categories[world.category],
                "price": world.price,
            }
        ),
        "stores": pa.table({"store_id": number[2], **_place(world.place), "size": np.round(world.size, 3)}),
        "offers": pa.table(
            {
                "offer_id": number[3],
                "start": _week(starts),
                "end": _week(starts + CAMPAIGN_WEEKS),
                "channel": np.repeat(["mail"], len(starts)),
                "kind": np.repeat(["drawn at random"], len(starts)),
                "discount": np.repeat(COUPONS[:arms], len(world.starts)),
            }
        ),
        "offer_items": pa.table({"offer_id": offer + 1, "item_id": item + 1}),
    }


def _place(km: np.ndarray) -> dict[str, np.ndarray]:
    return {"x_km": np.round(km[:, 0], 2), "y_km": np.round(km[:, 1], 2)}


def _week(number: np.ndarray) -> np.ndarray:
    return START + number.astype("timedelta64[W]")
