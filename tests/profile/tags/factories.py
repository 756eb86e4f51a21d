"""Small shops to tag."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import yaml

from omniretail.ids import Vocabulary
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags import Population, Tag, learn, tags_from
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import training_view
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.conftest import ROOT, shop_events, tables_of

DEFAULT = ROOT / "configs" / "tags" / "default.yaml"
DAY_S = 24 * 3600


def tag(name: str = "some", **rule: Any) -> Tag:
    return tags_from({name: {"label": name.capitalize(), "definition": "In words.", **rule}})[0]


def default_tags() -> list[Tag]:
    return tags_from(yaml.safe_load(DEFAULT.read_text()))


def shop(prices: bool) -> Train:
    """A generated shop, with prices, coupons, stores and departments, or with none of them."""
    events, rng = shop_events(n_users=60, n_days=300), np.random.default_rng(1)
    events["timestamp"] += pd.to_timedelta(rng.integers(7, 22, len(events)), unit="h")
    if not prices:
        return _cut(events)
    events["quantity"] = rng.integers(1, 3, len(events)).astype(float)
    events["value"] = events.quantity * (1 + events.item_id % 9)
    events["discount"] = np.where(rng.random(len(events)) < 0.3, 0.5, 0.0)
    events["coupon"] = np.where(rng.random(len(events)) < 0.1, 0.5, 0.0) * (events.discount > 0)
    events["store_id"] = events.basket_id % 7
    items = pd.DataFrame({"item_id": np.arange(40)})
    items["department"] = np.where(items.item_id % 3, "GROCERY", "PRODUCE")
    items["brand"] = np.where(items.item_id % 4, "National", "Private")
    items["category"] = "C" + (items.item_id % 5).astype(str)
    items["name"] = "<b>Tea & milk</b> " + items.item_id.astype(str)
    return _cut(events, items=items)


def _cut(events: pd.DataFrame, **others: pd.DataFrame) -> Train:
    tables = tables_of(events, **others)
    return training_view(tables, Temporal().cutoff(tables.events, "test"))


def by_hand(users: Mapping[str, list[tuple[float, int, int]]], n_items: int = 4) -> Train:
    """A shop of these customers' lines, oldest first: days before the cutoff, basket, item; the cutoff is day 1000."""
    lines = [line for own in users.values() for line in own]
    lengths = [len(own) for own in users.values()]
    at = 1000 * DAY_S
    histories = Histories(
        user_idx=np.arange(len(users), dtype=np.int32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        item_idx=np.array([item for _, _, item in lines], dtype=np.int32),
        timestamp=np.array([at - int(days * DAY_S) for days, _, _ in lines]),
        basket=np.array([basket for _, basket, _ in lines], dtype=np.int32),
        n_items=n_items,
    )
    items = Vocabulary.of(range(n_items))
    return Train(histories, Vocabulary.of(list(users)), items, pd.DataFrame({"item_id": items.ids}), at)


def population(train: Train, tags: list[Tag] | None = None) -> Population:
    profile = ProfileTable().fit(train)
    table, features = profile.table(train.histories, train.at), profile.features()
    return Population(train, table, features, learn(default_tags() if tags is None else tags, table, features), "EUR")
