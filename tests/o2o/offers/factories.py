"""A log small enough to work out by hand, and a larger random one."""

import numpy as np
import pandas as pd

from omniretail.schema import Tables
from tests.conftest import shop_events, tables_of

FIRST = pd.Timestamp("2024-01-01")
N_USERS, N_ITEMS = 40, 30


def day(number: float) -> pd.Timestamp:
    """Midnight of that day, counted from 0."""
    return FIRST + pd.Timedelta(days=number)


def bought(*lines: tuple) -> pd.DataFrame:
    """Lines ``user, item, day, basket, value, discount, coupon``."""
    names = ["user_id", "item_id", "timestamp", "basket_id", "value", "discount", "coupon"]
    frame = pd.DataFrame(list(lines), columns=names)
    return frame.assign(timestamp=frame.timestamp.map(day), event_type="purchase", channel="offline")


def offers(*rows: tuple) -> pd.DataFrame:
    """Rows ``offer, start, end, kind``, in days."""
    frame = pd.DataFrame(list(rows), columns=["offer_id", "start", "end", "kind"])
    return frame.assign(start=frame.start.map(day), end=frame.end.map(day), channel="mail")


def happened(*rows: tuple) -> pd.DataFrame:
    """Rows ``user, offer, day, event_type``."""
    frame = pd.DataFrame(list(rows), columns=["user_id", "offer_id", "timestamp", "event_type"])
    return frame.assign(timestamp=frame.timestamp.map(day))


EVENTS = bought(
    ("a", 1, 2, 1, 2.0, 0.5, 0.0),
    ("a", 3, 2, 1, 4.0, 0.0, 0.0),
    ("a", 1, 8, 2, 3.0, 1.0, 1.0),
    ("a", 4, 8, 2, 1.0, 0.0, 0.0),
    ("a", 2, 30, 3, 9.0, 0.0, 0.0),  # at the very moment when Y is sent
    ("b", 4, 5, 4, 5.0, 0.0, 0.0),
    ("b", 4, 69, 5, 5.0, 0.0, 0.0),
)
ITEMS = pd.DataFrame({"item_id": [1, 2, 3, 4], "category": ["tea", "tea", "milk", "bread"]})
OFFERS = offers(("X", 10, 20, "A"), ("Y", 30, 40, "A"), ("Z", 30, 50, "B"), ("W", 60, 90, "A"))
OFFER_ITEMS = pd.DataFrame({"offer_id": ["X", "X", "Y", "W"], "item_id": [1, 3, 2, 4]})
OFFER_EVENTS = happened(
    ("a", "X", 10, "sent"),
    ("b", "X", 10, "sent"),
    ("a", "X", 12, "redeemed"),
    ("a", "X", 13, "redeemed"),
    ("b", "X", 25, "redeemed"),  # too late
    ("a", "Y", 30, "sent"),
    ("b", "Y", 30, "sent"),
    ("c", "Y", 30, "sent"),
    ("a", "Y", 30, "redeemed"),  # at once
    ("c", "Y", 33, "redeemed"),
    ("a", "Z", 30, "sent"),
    ("a", "W", 60, "sent"),
)


def by_hand(**others: pd.DataFrame) -> Tables:
    """The small log; tables may be replaced."""
    given = {"items": ITEMS, "offers": OFFERS, "offer_items": OFFER_ITEMS, "offer_events": OFFER_EVENTS, **others}
    return tables_of(given.pop("events", EVENTS), **given)


def random_parts(seed: int = 0) -> dict[str, pd.DataFrame]:
    """120 days of purchases with amounts, twelve offers sent to half of the customers, some redeemed several times."""
    rng = np.random.default_rng(seed)
    events = shop_events(N_USERS, N_ITEMS, seed=seed)
    events["value"] = rng.uniform(1, 9, len(events)).round(2)
    events["discount"] = np.where(rng.random(len(events)) < 0.3, 0.7, 0.0)
    events["coupon"] = np.where(rng.random(len(events)) < 0.1, 0.3, 0.0)
    items = pd.DataFrame({"item_id": np.arange(40)})
    items = items.assign(department=items.item_id % 3, category="kind " + (items.item_id % 7).astype(str))
    sent = offers(*((n, 8 * n, 8 * n + 12, "AB"[n % 2]) for n in range(12)))
    mailed = [(u, n, 8 * n, "sent") for n in range(12) for u in rng.permutation(N_USERS)[: N_USERS // 2]]
    used = [(u, n, start + d, "redeemed") for u, n, start, _ in mailed for d in rng.integers(0, 14, rng.integers(0, 3))]
    covered = pd.DataFrame(
        [(n, i) for n in range(12) for i in rng.permutation(40)[:9]], columns=["offer_id", "item_id"]
    )
    return {
        "events": events,
        "items": items,
        "offers": sent,
        "offer_items": covered,
        "offer_events": happened(*mailed, *used),
    }


def random_shop(seed: int = 0) -> Tables:
    """The random log as tables."""
    parts = random_parts(seed)
    return tables_of(parts.pop("events"), **parts)
