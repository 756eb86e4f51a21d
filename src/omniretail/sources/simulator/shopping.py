"""Visits, baskets and coupon use of customers of a simulated world, week by week."""

from dataclasses import dataclass

import numpy as np

from omniretail.sources.simulator.world import CAMPAIGN_WEEKS, N_FAVOURITES, World

_WEEKDAYS = np.array([0.12, 0.11, 0.12, 0.13, 0.17, 0.20, 0.15])  # Monday first
_REPEAT, _PROMOTED, _PROMOTION = 0.5, 0.1, 0.2
COUPONS = 0.25, 0.4
"""Discount of the coupon of each arm."""
_TRIES = 4
_PROMOTIONS, _STOCK, _ARMS = 2, 3, 4  # streams of chance


@dataclass(frozen=True)
class Shopping:
    """V visits with L lines of some customers, and the coupons they received and used.

    Attributes:
        visitor: customer of each visit; shape (V,).
        second: of each visit, from the start of the log; shape (V,).
        store: of each visit, -1 online; shape (V,).
        visit: of each line, ascending; shape (L,).
        item: of each line; shape (L,).
        discount: of each line, coupon included; shape (L,).
        coupon: the part of the discount that is due to coupons; shape (L,).
        sent: campaign, customer and arm of each coupon sent; shape (3, M).
        redeemed: campaign, visit and arm of each redemption; shape (3, R).
        substituted: number of lines whose wanted item the store did not have.
    """

    visitor: np.ndarray
    second: np.ndarray
    store: np.ndarray
    visit: np.ndarray
    item: np.ndarray
    discount: np.ndarray
    coupon: np.ndarray
    sent: np.ndarray
    redeemed: np.ndarray
    substituted: int


def shop(
    world: World,
    customers: np.ndarray,
    channel_effect: float,
    stock_out: float,
    sent_share: float,
    seed: int,
    arms: int = 1,
) -> Shopping:
    """Simulate visits of some customers.

    Visits are a Poisson process, whose rate a coupon multiplies in its weeks by ``World.lift``; coupons are sent to
    random customers with an earlier visit.

    Args:
        world: the truth.
        customers: their indices, ascending; shape (B,).
        channel_effect: logarithm of the factor on a visit's lines beyond the first, online against stores.
        stock_out: probability that a store is out of an item of its assortment for a week.
        sent_share: of customers with an earlier visit who are sent a campaign's coupon.
        seed: of all draws of this batch.
        arms: different coupons; each customer who is sent one is sent any of them alike.
    """
    rng = np.random.default_rng([seed, 1, int(customers[0])])
    visitor, week = _visits(world, customers, rng)
    sent = _arms(_sent(world, customers, visitor, week, sent_share, rng), arms, seed, int(customers[0]))
    visitor, week = _moved(world, customers, visitor, week, sent, rng)
    online = rng.random(len(visitor)) < 1 / (1 + np.exp(-world.online[visitor]))
    second = _seconds(week, online, rng)
    order = np.lexsort((second, visitor))
    visitor, week, online, second = visitor[order], week[order], online[order], second[order]
    nearby = _drawn(world.pull[visitor], rng)
    store = np.where(online, -1, world.near[visitor, nearby])
    n_lines = 1 + rng.poisson(world.lines[visitor] * np.exp(channel_effect * online))
    visit = np.repeat(np.arange(len(visitor)), n_lines)
    item, substituted = _chosen(world, customers, visitor[visit], store[visit], week[visit], stock_out, seed, rng)
    present = rng.random(len(visitor)) < 0.3 + 0.6 * world.thrift[visitor]
    coupon, redeemed = _used(world, sent, np.searchsorted(customers, visitor), week, visit, item, present)
    promoted = _chance(seed, _PROMOTIONS, week[visit], item) < _PROMOTED
    return Shopping(
        visitor=visitor,
        second=second,
        store=store,
        visit=visit,
        item=item,
        discount=world.price[item] * (_PROMOTION * promoted + coupon),
        coupon=world.price[item] * coupon,
        sent=np.stack([np.nonzero(sent)[0], customers[np.nonzero(sent)[1]], sent[np.nonzero(sent)]]),
        redeemed=redeemed,
        substituted=substituted,
    )


def _seconds(week: np.ndarray, online: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Time of each visit in seconds; online shopping goes on at night."""
    day = rng.choice(7, size=len(week), p=_WEEKDAYS)
    opens, closes = np.where(online, 6, 8), np.where(online, 24, 20)
    return (week * 7 + day) * 86400 + ((opens + rng.random(len(week)) * (closes - opens)) * 3600).astype(np.int64)


def _visits(world: World, customers: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Customer and week of each visit without the effect of coupons, ordered by customer."""
    weeks = world.left[customers] - world.joined[customers]
    visitor = np.repeat(customers, rng.poisson(world.rate[customers] * weeks))
    week = world.joined[visitor] + (rng.random(len(visitor)) * (world.left - world.joined)[visitor]).astype(np.int64)
    return visitor, week


def _sent(
    world: World,
    customers: np.ndarray,
    visitor: np.ndarray,
    week: np.ndarray,
    share: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Whether each customer of the batch is sent each campaign's coupon; shape (C, B)."""
    first = np.full(len(customers), np.iinfo(np.int64).max)
    np.minimum.at(first, np.searchsorted(customers, visitor), week)
    return (first < world.starts[:, None]) & (rng.random((len(world.starts), len(customers))) < share)


def _arms(sent: np.ndarray, arms: int, seed: int, first: int) -> np.ndarray:
    """The arm of each coupon, from 1, where one was sent, else 0; shape (C, B)."""
    if arms == 1:
        return sent.astype(np.int64)
    return sent * np.random.default_rng([seed, _ARMS, first]).integers(1, arms + 1, sent.shape)


def _moved(
    world: World,
    customers: np.ndarray,
    visitor: np.ndarray,
    week: np.ndarray,
    sent: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """The visits with the effect of coupons."""
    stays, more_visitor, more_week = np.ones(len(visitor), dtype=bool), [], []
    for campaign, start in enumerate(world.starts):
        factors = np.stack([world.factor(campaign, arm)[customers] for arm in range(sent.max(initial=1) + 1)])
        lift = factors[sent[campaign], np.arange(len(customers))]
        inside = (week >= start) & (week < start + CAMPAIGN_WEEKS)
        stays &= ~inside | (rng.random(len(visitor)) < lift[np.searchsorted(customers, visitor)])
        begins = np.maximum(world.joined[customers], start)
        weeks = np.clip(np.minimum(world.left[customers], start + CAMPAIGN_WEEKS) - begins, 0, None)
        n = rng.poisson(world.rate[customers] * np.maximum(lift - 1, 0) * weeks)
        more_visitor.append(np.repeat(customers, n))
        more_week.append(np.repeat(begins, n) + (rng.random(n.sum()) * np.repeat(weeks, n)).astype(np.int64))
    return np.concatenate([visitor[stays], *more_visitor]), np.concatenate([week[stays], *more_week])


def _chosen(
    world: World,
    customers: np.ndarray,
    who: np.ndarray,
    store: np.ndarray,
    week: np.ndarray,
    stock_out: float,
    seed: int,
    rng: np.random.Generator,
) -> tuple[np.ndarray, int]:
    """The item of each line, and the number of substituted lines; thrifty customers prefer promoted items."""
    wants = _Wants(world, customers, rng)
    item, other = wants.draw(who), wants.draw(who)
    cheaper = _chance(seed, _PROMOTIONS, week, other) < _PROMOTED
    item = np.where(cheaper & (rng.random(len(who)) < world.thrift[who]), other, item)
    missing = np.flatnonzero(~_there(world, store, week, item, stock_out, seed))
    substituted = len(missing)
    for _ in range(_TRIES):
        item[missing] = wants.draw(who[missing])
        missing = missing[~_there(world, store[missing], week[missing], item[missing], stock_out, seed)]
    item[missing] = world.staple[world.category[item[missing]]]
    return item, substituted


class _Wants:
    """Draws wanted items: half the time one of the customer's favourites, else by their tastes."""

    def __init__(self, world: World, customers: np.ndarray, rng: np.random.Generator) -> None:
        self.customers, self.rng = customers, rng
        self.tastes = world.tastes
        likes = np.cumsum(world.likes, axis=1)
        self.steps = (likes / likes[:, -1:] + np.arange(len(likes))[:, None]).ravel()  # one ascending array for all
        self.n_items = likes.shape[1]
        self.favourites = self.tasty(np.repeat(customers, N_FAVOURITES)).reshape(-1, N_FAVOURITES)

    def tasty(self, who: np.ndarray) -> np.ndarray:
        taste = _drawn(self.tastes[who], self.rng)
        place = np.searchsorted(self.steps, taste + self.rng.random(len(who)), side="right")
        return np.minimum(place - taste * self.n_items, self.n_items - 1)

    def draw(self, who: np.ndarray) -> np.ndarray:
        favourite = np.minimum(self.rng.geometric(0.15, len(who)), N_FAVOURITES) - 1
        own = self.favourites[np.searchsorted(self.customers, who), favourite]
        return np.where(self.rng.random(len(who)) < _REPEAT, own, self.tasty(who))


def _there(
    world: World, store: np.ndarray, week: np.ndarray, item: np.ndarray, stock_out: float, seed: int
) -> np.ndarray:
    """Whether the store has the item this week; the online shop has every item."""
    in_stock = _chance(seed, _STOCK, week, item, store + 1) >= stock_out
    return (store < 0) | (item == world.staple[world.category[item]]) | (world.sells[store, item] & in_stock)


def _used(
    world: World,
    sent: np.ndarray,
    where: np.ndarray,
    week: np.ndarray,
    visit: np.ndarray,
    item: np.ndarray,
    present: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The coupon's share of each line's price, and campaign, visit and arm of each redemption.

    A coupon is used once, on the first visit that has something offered and on which the customer presents it.

    Args:
        world: the truth.
        sent: see ``_arms``; shape (C, B).
        where: position of each visit's customer in the batch; shape (V,).
        week: of each visit; visits are ordered by customer and time; shape (V,).
        visit: of each line; shape (L,).
        item: of each line; shape (L,).
        present: True where the customer presents their coupons; shape (V,).
    """
    coupon, redeemed = np.zeros(len(visit)), []
    for campaign, start in enumerate(world.starts):
        arm = sent[campaign, where]  # (V,)
        able = (arm > 0) & present & (week >= start) & (week < start + CAMPAIGN_WEEKS)
        lines = able[visit] & world.offered[campaign][world.category[item]]
        visits = np.unique(visit[lines])
        used = visits[np.unique(where[visits], return_index=True)[1]]
        worth = np.array([0.0, *COUPONS])[arm[visit]]
        coupon = np.where(lines & np.isin(visit, used), np.maximum(coupon, worth), coupon)
        redeemed.append(np.stack([np.full(len(used), campaign), used, arm[used]]))
    return coupon, np.concatenate(redeemed, axis=1) if redeemed else np.zeros((3, 0), dtype=np.int64)


def _drawn(shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A column of each row, drawn with the row's probabilities; shape (M,)."""
    steps = np.cumsum(shares, axis=1)
    return np.minimum((steps < rng.random(len(steps))[:, None]).sum(axis=1), shares.shape[1] - 1)


def _chance(seed: int, *numbers: np.ndarray | int) -> np.ndarray:
    """A number in [0, 1) that depends on the arguments alone (SplitMix64: Steele et al., OOPSLA 2014)."""
    mixed: np.ndarray = np.array(seed, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for number in numbers:
            mixed = (mixed ^ np.asarray(number, dtype=np.uint64)) + np.uint64(0x9E3779B97F4A7C15)
            mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) / 2**53
