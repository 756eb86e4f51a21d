"""The truth of a simulated retailer: its customers, stores and items, and the effect of coupons."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial import KDTree

N_TASTES, N_CATEGORIES, N_FAVOURITES = 12, 20, 20
NEAR = 16
"""Number of stores that a customer chooses between: the nearest."""
FIRST_CAMPAIGN, CAMPAIGN_EVERY, CAMPAIGN_WEEKS = 4, 4, 2
_KM_BETWEEN_STORES = 5.0


@dataclass(frozen=True)
class World:
    """N customers, S stores, I items, C campaigns; weeks count from 0.

    Attributes:
        home: place of each customer, km; shape (N, 2).
        rate: visits a week while a customer; shape (N,).
        joined: first week as a customer; shape (N,).
        left: first week after the last as a customer; shape (N,).
        lines: mean lines of a store visit beyond the first; shape (N,).
        online: log odds of shopping online rather than in a store; shape (N,).
        thrift: how much a low price attracts, 0 to 1; shape (N,).
        tastes: shares of the T tastes; shape (N, T).
        place: of each store, km; shape (S, 2).
        size: of each store; the mean is 1; shape (S,).
        sells: True where a store carries an item; shape (S, I).
        near: the stores a customer chooses between, nearest first; shape (N, K).
        km: how far they are; shape (N, K).
        pull: probability of each of them for a store visit; shape (N, K).
        category: of each item; shape (I,).
        price: of each item; shape (I,).
        staple: item of each category that is always in stock; shape (G,).
        likes: probability of each item under each taste; shape (T, I).
        starts: week of each campaign; shape (C,).
        offered: True where a campaign covers a category; shape (C, G).
        lift: factor of a coupon on the rate of visits in its weeks; shape (C, N).
    """

    home: np.ndarray
    rate: np.ndarray
    joined: np.ndarray
    left: np.ndarray
    lines: np.ndarray
    online: np.ndarray
    thrift: np.ndarray
    tastes: np.ndarray
    place: np.ndarray
    size: np.ndarray
    sells: np.ndarray
    near: np.ndarray
    km: np.ndarray
    pull: np.ndarray
    category: np.ndarray
    price: np.ndarray
    staple: np.ndarray
    likes: np.ndarray
    starts: np.ndarray
    offered: np.ndarray
    lift: np.ndarray

    def chance(self, campaign: int, sent: bool | int) -> np.ndarray:
        """P(any purchase in the campaign's weeks), with the coupon of an arm or without one (0); shape (N,)."""
        return 1 - np.exp(-self.rate * self.weeks(campaign) * self.factor(campaign, int(sent)))

    def factor(self, campaign: int, arm: int) -> np.ndarray:
        """Of the coupon of an arm on the rate of visits, 1 without one (0); shape (N,).

        The second arm's coupon is worth more, so it also attracts those whom low prices attract less; it deters the
        same customers.
        """
        lift = self.lift[campaign]
        if arm == 0:
            return np.ones_like(lift)
        return lift if arm == 1 else np.where(lift < 1, lift, 1 + (lift - 1) / np.sqrt(np.maximum(self.thrift, 0.01)))

    def weeks(self, campaign: int) -> np.ndarray:
        """Weeks of the campaign in which each is a customer; shape (N,)."""
        start = self.starts[campaign]
        return np.clip(np.minimum(self.left, start + CAMPAIGN_WEEKS) - np.maximum(self.joined, start), 0, None)

    def effect(self, campaign: int, arm: int = 1) -> np.ndarray:
        """The effect of an arm's coupon on that probability; shape (N,)."""
        return self.chance(campaign, arm) - self.chance(campaign, 0)


def draw_world(
    n_customers: int, n_stores: int, n_items: int, n_weeks: int, distance_decay: float, size_pull: float, seed: int
) -> World:
    """Draw everything that does not change while customers shop.

    Stores attract customers as in Huff, "A probabilistic analysis of shopping center trade areas", Land Economics 1963,
    with distance entering by an exponential.

    Args:
        n_customers: N.
        n_stores: S.
        n_items: I.
        n_weeks: length of the log.
        distance_decay: by how much the log odds of a store fall per km.
        size_pull: by how much they rise with the logarithm of its size.
        seed: of all draws.
    """
    rng = np.random.default_rng([seed, 2])  # [seed, 0] would give the same numbers as the seed alone
    stores = _stores(rng, n_stores)
    items = _items(rng, n_items)
    customers = _customers(rng, n_customers, n_weeks, stores["place"])
    nearest: Any = range(1, min(NEAR, n_stores) + 1)  # a range keeps the axis where there is one store
    km, near = KDTree(stores["place"]).query(customers["home"], k=nearest)
    pull = np.exp(size_pull * np.log(stores["size"][near]) - distance_decay * (km - km[:, :1]))
    customers["online"] += 0.1 * (km[:, 0] - 2)  # customers far from a store order online more often
    return World(
        **customers,
        **stores,
        **items,
        **_campaigns(rng, n_weeks, customers, items),
        sells=_assortments(rng, stores["size"], items),
        near=np.asarray(near, dtype=np.int32),
        km=km.astype(np.float32),
        pull=(pull / pull.sum(axis=1, keepdims=True)).astype(np.float32),
    )


def _stores(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    size = rng.lognormal(0, 0.5, n)
    return {"place": rng.uniform(0, _KM_BETWEEN_STORES * np.sqrt(n), (n, 2)), "size": size / size.mean()}


def _customers(rng: np.random.Generator, n: int, n_weeks: int, stores: np.ndarray) -> dict[str, np.ndarray]:
    """Most live near a store; heavy shoppers prefer the online shop, which confounds a comparison of channels."""
    home = stores[rng.integers(len(stores), size=n)] + rng.normal(0, 3.0, (n, 2))
    heavy = rng.normal(0, 1, n)
    joined = np.where(rng.random(n) < 0.8, 0, rng.integers(0, n_weeks, n))
    stays = rng.geometric(1 / (4 * n_weeks), n)
    return {
        "home": home,
        "rate": np.exp(-0.9 + 0.5 * heavy + 0.5 * rng.normal(0, 1, n)),
        "joined": joined,
        "left": np.minimum(joined + stays, n_weeks),
        "lines": np.exp(0.7 + 0.5 * heavy),
        "online": -1.5 + 0.8 * heavy + rng.normal(0, 0.8, n),
        "thrift": rng.beta(1.0, 1.5, n),
        "tastes": rng.dirichlet(np.full(N_TASTES, 0.25), n).astype(np.float32),
    }


def _items(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    popularity = np.arange(1, n + 1) ** -0.7
    category = rng.integers(N_CATEGORIES, size=n)
    category[:N_CATEGORIES] = np.arange(N_CATEGORIES)  # the best sellers: one is the staple of each
    draws = rng.lognormal(0, 1.3, (N_TASTES, N_CATEGORIES))[:, category] * rng.lognormal(0, 0.7, (N_TASTES, n))
    likes = popularity * draws
    return {
        "category": category,
        "price": np.round(rng.lognormal(1.0, 0.6, n), 2),
        "staple": np.arange(N_CATEGORIES),
        "likes": likes / likes.sum(axis=1, keepdims=True),
    }


def _assortments(rng: np.random.Generator, size: np.ndarray, items: dict[str, np.ndarray]) -> np.ndarray:
    """Large stores have more items; most stores have the best sellers."""
    n = len(items["category"])
    share = np.clip(0.6 + 0.3 * np.log(size), 0.3, 0.95)[:, None]
    rank = np.argsort(np.argsort(-items["likes"].mean(axis=0)))
    sells = rng.random((len(size), n), dtype=np.float32) < np.clip(share + 0.4 * (0.5 - rank / n), 0.05, 1.0)
    sells[:, items["staple"]] = True
    return sells


def _campaigns(
    rng: np.random.Generator, n_weeks: int, customers: dict[str, np.ndarray], items: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Coupons attract thrifty customers who like the offered items, and deter one customer in eight."""
    starts = np.arange(FIRST_CAMPAIGN, n_weeks - CAMPAIGN_WEEKS + 1, CAMPAIGN_EVERY)
    offered = np.zeros((len(starts), N_CATEGORIES), dtype=bool)
    for row in offered:
        row[rng.choice(N_CATEGORIES, 3, replace=False)] = True
    in_category = np.zeros((N_TASTES, N_CATEGORIES))
    np.add.at(in_category.T, items["category"], items["likes"].T)
    interest = (customers["tastes"] @ (in_category @ offered.T)).T  # (C, N): share of demand that is on offer
    put_off = rng.random(len(customers["thrift"])) < 0.125
    lift = np.where(put_off, 0.6, 1 + 6 * customers["thrift"] * np.minimum(interest * 2, 1))
    return {"starts": starts, "offered": offered, "lift": lift}
