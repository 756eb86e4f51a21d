"""Ta-Feng grocery baskets as the next-basket reality check prepared them (arXiv 2109.14233)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa

from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION

_DELIMITER = [-1]
_CARD = DatasetCard(
    title="Ta-Feng",
    address="https://github.com/liming-7/A-Next-Basket-Recommendation-Reality-Check",
    terms="no licence stated",
    clock=False,
)
Baskets = dict[int, list[list[int]]]


@dataclass(frozen=True)
class TaFeng:
    """Baskets in order, the last one of each user from a second file.

    The data has an order but no times: ``timestamp`` is the basket's position in the user's history in seconds plus the
    item's position in the basket in microseconds. The ``[-1]`` before and after the baskets are delimiters. Users who
    are missing from one of the two files are dropped, and their rows counted.

    Args:
        folder: contains ``tafeng_history.json`` and ``tafeng_future.json``.
    """

    folder: str | Path = field(metadata=LOCATION)

    def files(self) -> list[Path]:
        """See ``Source``."""
        return [Path(self.folder) / "tafeng_history.json", Path(self.folder) / "tafeng_future.json"]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        history, future = (_read_baskets(path) for path in self.files())
        baskets = {user: history[user] + future[user] for user in history if user in future}
        drops = {
            "user without future": _rows(history, history.keys() - future.keys()),
            "user without history": _rows(future, future.keys() - history.keys()),
        }
        return Tables(_CARD, _events(baskets), drops=drops)


def _read_baskets(path: Path) -> Baskets:
    try:
        users = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, row {error.lineno}, column {error.colno}: {error.msg}") from None
    if not isinstance(users, dict):
        raise DataError(f"{path}: it must be one object, {{user: [[-1], basket, …, [-1]]}}")
    return {_user_id(user, path): list(_baskets(user, baskets, path)) for user, baskets in users.items()}


def _user_id(user: str, path: Path) -> int:
    try:
        return int(user)
    except ValueError:
        raise DataError(f"{path}, user '{user}': not a whole number") from None


def _baskets(user: str, baskets: object, path: Path) -> Iterator[list[int]]:
    if not isinstance(baskets, list):
        raise DataError(f"{path}, user {user}: not a list of baskets")
    for number, basket in enumerate(baskets):
        if not isinstance(basket, list) or not all(type(item) is int for item in basket):
            raise DataError(f"{path}, user {user}, basket {number}: {basket!r} is not a list of whole numbers")
        if basket and basket != _DELIMITER:
            yield basket


def _rows(baskets: Baskets, users: set[int]) -> int:
    return sum(len(basket) for user in users for basket in baskets[user])


def _events(baskets: Baskets) -> ibis.Table:
    """One row per item; baskets are numbered across users, so that no two users share a number."""
    flat = [(user, position, basket) for user, own in baskets.items() for position, basket in enumerate(own)]
    sizes = np.array([len(basket) for _user, _position, basket in flat], dtype=np.int64)
    position = np.array([position for _user, position, _basket in flat], dtype=np.int64)
    items = [item for _user, _position, basket in flat for item in basket]
    within = np.arange(len(items)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # the file's order in the basket
    events = pa.table(
        {
            "user_id": np.repeat(np.array([user for user, _position, _basket in flat], dtype=np.int64), sizes),
            "item_id": np.array(items, dtype=np.int64),
            "timestamp": timestamps(np.repeat(position, sizes), within),
            "basket_id": np.repeat(np.arange(len(flat)), sizes),
        }
    )
    return ibis.memtable(events).mutate(event_type=ibis.literal("purchase"), channel=ibis.literal("offline"))
