"""Two logs of one company's customers, such as its online shop and its stores, as one log with two channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ibis
from ibis import _

from omniretail.core.engine import count
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.column_names import mapped
from omniretail.sources.parsing.drop_counting import count_drops, count_duplicates
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.protocol import LOCATION, Source

_KEYS = ("key_a", "key_b")


@dataclass(frozen=True)
class TwoLogs:
    """Both logs' events, each under its channel's name; items, baskets and categories are named after the channel.

    Without a link file, equal user ids are one customer. With one, each row links a ``key_a`` (user of the first log)
    to a ``key_b`` (user of the second); linked customers have the first log's id, and other customers of the second log
    are named after its channel, so that ids equal by chance are two customers. Rows of the link file that repeat, lack
    a key, or name a user who is in neither log are dropped and counted.

    Args:
        a: the first log, for instance ``CSV``.
        b: the second log.
        channel_a: name of the first log's channel.
        channel_b: name of the second log's channel.
        link: the link file; None: both logs have the same user ids.
        link_columns: ``key_a`` and ``key_b`` -> name in the link file.
    """

    a: Source
    b: Source
    channel_a: str = "online"
    channel_b: str = "offline"
    link: str | Path | None = field(default=None, metadata=LOCATION)
    link_columns: Mapping[str, str | None] = field(default_factory=dict)

    def files(self) -> list[Path]:
        """See ``Source``.

        Raises:
            DataError: where a path is not set, or both channels have one name.
        """
        if self.channel_a == self.channel_b:
            raise DataError(f"both channels are called {self.channel_a!r}; set another source.channel_b")
        for name, log in (("a", self.a), ("b", self.b)):
            if getattr(log, "path", "") is None:
                raise DataError(f"log {name} has no path: set source.{name}.path, for instance to sales.csv")
        return [*self.a.files(), *self.b.files(), *([] if self.link is None else [Path(self.link)])]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where a log or the link file cannot be read, a key is linked to two others, or no customer is in
                both logs.
        """
        a, b = (_read(log, name, connection) for name, log in (("a", self.a), ("b", self.b)))
        if a.card.currency != b.card.currency and a.card.currency and b.card.currency:
            raise DataError(f"the logs are in {a.card.currency} and {b.card.currency}; convert one of them first")
        drops = {f"{each}: {why}": n for each, log in self._named(a, b) for why, n in log.drops.items()}
        events_b, link_drops = self._linked(connection, a.events, b.events)
        if not count(a.events.select("user_id").intersect(events_b.select("user_id"))):
            raise DataError("no customer is in both logs; set source.link to a file that links their ids")
        parts = [_of(a.events, self.channel_a), _of(events_b, self.channel_b)]
        items = [_of(log.items, channel) for channel, log in self._named(a, b) if log.items is not None]
        card = DatasetCard(f"{self.channel_a} and {self.channel_b}", currency=a.card.currency or b.card.currency)
        return Tables(card, _stacked(parts), items=_stacked(items) if items else None, drops=drops | link_drops)

    def _named(self, a: Tables, b: Tables) -> tuple[tuple[str, Tables], ...]:
        return (self.channel_a, a), (self.channel_b, b)

    def _linked(self, connection: ibis.BaseBackend, a: ibis.Table, b: ibis.Table) -> tuple[ibis.Table, dict[str, int]]:
        """The second log's events under the customers' common ids, and dropped rows of the link file."""
        if self.link is None:
            return b, {}
        path = Path(self.link)
        text = read_text(connection, path)
        names = mapped(text, path, self.link_columns, "source.link_columns", _KEYS, _KEYS)
        keys = text.select(**{key: _[names[key]] for key in _KEYS})
        keys, incomplete = count_drops(keys, {"link: no key": _.key_a.isnull() | _.key_b.isnull()})
        once, repeated = count_duplicates(keys)
        users_a, users_b = (
            log.select(**{key: _.user_id.cast("string")}).distinct() for key, log in zip(_KEYS, (a, b), strict=True)
        )
        links = once.semi_join(users_a, "key_a").semi_join(users_b, "key_b")
        _check_one_to_one(links, path)
        drops = incomplete | {"link: repeated row": repeated["exact duplicate"]}
        drops["link: key that is in no log"] = count(once) - count(links)
        joined = b.mutate(key_b=_.user_id.cast("string")).left_join(links, "key_b")
        unlinked = f"{self.channel_b}:" + _.key_b
        return joined.mutate(user_id=ibis.coalesce(_.key_a, unlinked)).select(*b.columns), drops


def _read(log: Source, name: str, connection: ibis.BaseBackend) -> Tables:
    """Read one log; an error names the setting by its place in this source."""
    try:
        return log.read(connection)
    except DataError as error:
        raise DataError(str(error).replace("source.", f"source.{name}.")) from None


def _check_one_to_one(keys: ibis.Table, path: Path) -> None:
    for key, partner in (_KEYS, _KEYS[::-1]):
        repeated = keys.group_by(key).agg(n=_.count()).filter(_.n > 1).order_by(key).limit(1).to_pyarrow().to_pylist()
        if repeated:
            key_value, n = repeated[0][key], repeated[0]["n"]
            raise DataError(f"{path}: {key} '{key_value}' has {n} different {partner}; keep one row for each")


def _of(table: ibis.Table, channel: str) -> ibis.Table:
    """The table with ids that are unique to the channel."""
    named = [name for name in ("item_id", "basket_id", "category") if name in table.columns]
    table = table.mutate(**{name: f"{channel}:" + table[name].cast("string") for name in named})
    if "timestamp" not in table.columns:
        return table
    return table.mutate(channel=ibis.literal(channel), user_id=_.user_id.cast("string"))


def _stacked(parts: list[ibis.Table]) -> ibis.Table:
    """One table with the columns of all parts, null where a part lacks one."""
    types = {name: dtype for part in parts for name, dtype in part.schema().items()}
    whole = [
        part.mutate(**{name: ibis.null(dtype) for name, dtype in types.items() if name not in part.columns})
        for part in parts
    ]
    return ibis.union(*(part.select(*types) for part in whole)) if len(whole) > 1 else whole[0]
