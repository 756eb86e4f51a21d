"""Two logs of one company's customers, such as its shop online and its stores, as one log with two channels."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import ibis
from ibis import _

from omniretail.core.engine import count
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.csv import mapped
from omniretail.sources.parsing.drop_counting import count_drops, count_duplicates
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.protocol import LOCATION, Source

_KEYS = ("key_a", "key_b")


@dataclass(frozen=True)
class TwoLogs:
    """Both logs' events, each under its channel's name; items, baskets and categories are named after the channel.

    Without a link file, equal user ids are one customer. With one, each row says which ``key_a`` (user of the first
    log) is which ``key_b`` (of the second); a linked customer goes by the first log's id, and one of the second log
    whom no row links is named after the channel, so that equal ids by chance are never one person. Rows of the link
    file that repeat, lack a key, or name somebody who is in neither log are left out and counted.

    Args:
        a: the first log, for instance ``CSV``.
        b: the second.
        channel_a: what the first log's channel is called.
        channel_b: what the second's is.
        link: the file with the keys; None: ids are shared.
        link_columns: ``key_a`` and ``key_b`` -> name in that file.
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
            raise DataError(f"both logs are called {self.channel_a!r}; set source.channel_a and source.channel_b apart")
        for name, log in (("a", self.a), ("b", self.b)):
            if getattr(log, "path", "") is None:
                raise DataError(f"which log is {name}? set source.{name}.path, for instance to sales.csv")
        return [*self.a.files(), *self.b.files(), *([] if self.link is None else [Path(self.link)])]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where a log or the link file cannot be read, a key has two partners, or nobody is in both logs.
        """
        a, b = (_read(log, name, connection) for name, log in (("a", self.a), ("b", self.b)))
        if a.card.currency != b.card.currency and a.card.currency and b.card.currency:
            raise DataError(f"the logs are in {a.card.currency} and {b.card.currency}; convert one of them first")
        drops = {f"{each}: {why}": n for each, log in self._named(a, b) for why, n in log.drops.items()}
        events_b, left_out = self._linked(connection, a.events, b.events)
        if not count(a.events.select("user_id").intersect(events_b.select("user_id"))):
            raise DataError("no customer is in both logs; set source.link to a file that says who is who")
        parts = [_of(a.events, self.channel_a), _of(events_b, self.channel_b)]
        items = [_of(log.items, channel) for channel, log in self._named(a, b) if log.items is not None]
        card = DatasetCard(f"{self.channel_a} and {self.channel_b}", currency=a.card.currency or b.card.currency)
        return Tables(card, _stacked(parts), items=_stacked(items) if items else None, drops=drops | left_out)

    def _named(self, a: Tables, b: Tables) -> tuple[tuple[str, Tables], ...]:
        return (self.channel_a, a), (self.channel_b, b)

    def _linked(self, connection: ibis.BaseBackend, a: ibis.Table, b: ibis.Table) -> tuple[ibis.Table, dict[str, int]]:
        """The second log's events under the customers' common ids, and rows of the link file left out."""
        if self.link is None:
            return b, {}
        path = Path(self.link)
        text = read_text(connection, path)
        names = mapped(text, path, self.link_columns, "source.link_columns", _KEYS, _KEYS)
        keys = text.select(**{key: _[names[key]] for key in _KEYS})
        keys, lacking = count_drops(keys, {"link: no key": _.key_a.isnull() | _.key_b.isnull()})
        once, repeated = count_duplicates(keys)
        known_a, known_b = (
            log.select(**{key: _.user_id.cast("string")}).distinct() for key, log in zip(_KEYS, (a, b), strict=True)
        )
        known = once.semi_join(known_a, "key_a").semi_join(known_b, "key_b")
        _check_one_to_one(known, path)
        left_out = lacking | {"link: repeated row": repeated["exact duplicate"]}
        left_out["link: key that is in no log"] = count(once) - count(known)
        joined = b.mutate(key_b=_.user_id.cast("string")).left_join(known, "key_b")
        own = f"{self.channel_b}:" + _.key_b
        return joined.mutate(user_id=ibis.coalesce(_.key_a, own)).select(*b.columns), left_out


def _read(log: Source, name: str, connection: ibis.BaseBackend) -> Tables:
    """One log; where it cannot be read, the message names the setting as it is written here."""
    try:
        return log.read(connection)
    except DataError as error:
        raise DataError(str(error).replace("source.", f"source.{name}.")) from None


def _check_one_to_one(keys: ibis.Table, path: Path) -> None:
    for key, partner in (_KEYS, _KEYS[::-1]):
        several = keys.group_by(key).agg(n=_.count()).filter(_.n > 1).order_by(key).limit(1).to_pyarrow().to_pylist()
        if several:
            found = several[0]
            raise DataError(f"{path}: {key} '{found[key]}' has {found['n']} different {partner}; keep one row for each")


def _of(table: ibis.Table, channel: str) -> ibis.Table:
    """The table with ids of one channel that no other can have."""
    named = [name for name in ("item_id", "basket_id", "category") if name in table.columns]
    table = table.mutate(**{name: f"{channel}:" + table[name].cast("string") for name in named})
    if "timestamp" not in table.columns:
        return table
    return table.mutate(channel=ibis.literal(channel), user_id=_.user_id.cast("string"))


def _stacked(parts: list[ibis.Table]) -> ibis.Table:
    """One table with the columns of all, empty where a part lacks one."""
    types = {name: dtype for part in parts for name, dtype in part.schema().items()}
    if "timestamp" in types and "basket_id" in types:  # where a log has no baskets, a moment is one
        moment = _.channel + " " + _.timestamp.cast("string")
        parts = [part if "basket_id" in part.columns else part.mutate(basket_id=moment) for part in parts]
    whole = [
        part.mutate(**{name: ibis.null(dtype) for name, dtype in types.items() if name not in part.columns})
        for part in parts
    ]
    return ibis.union(*(part.select(*types) for part in whole)) if len(whole) > 1 else whole[0]
