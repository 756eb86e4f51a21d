"""Amazon Beauty, Amazon Sports and Yelp as the S3-Rec paper prepared them (arXiv 2008.07873): 5-core, in order."""

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import pyarrow as pa

from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.item_lines import read_lines
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION

_ADDRESS = "https://github.com/aHuiWang/CIKM2020-S3Rec"


@dataclass(frozen=True)
class S3Rec:
    """Reviews, oldest first, and the ids of each item's attributes.

    The data has an order but no times: ``timestamp`` is the position in the user's history. Yelp's repeat visits stay.
    Attributes are brands and categories under bare ids; an item's ``category`` is its most frequent attribute among
    those of fewer than half the items, which is close to departments (7 in Beauty, 103 in Sports, 110 in Yelp).

    Args:
        folder: contains ``<name>.txt`` and, where items have attributes, ``<name>_item2attributes.json``.
        name: of the files: ``Beauty``, ``Sports_and_Outdoors`` or ``Yelp``.
        title: the dataset's name for people.
        channel: ``online``, or ``offline`` where reviews are of visits.
    """

    folder: str | Path = field(metadata=LOCATION)
    name: str = "Beauty"
    title: str = "Amazon Beauty"
    channel: str = "online"

    def files(self) -> list[Path]:
        """See ``Source``."""
        attributes = Path(self.folder) / f"{self.name}_item2attributes.json"
        return [Path(self.folder) / f"{self.name}.txt", *([attributes] if attributes.is_file() else [])]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        histories, *attributes = self.files()
        lines = read_lines(histories)
        events = pa.table({"user_id": lines.user_id, "item_id": lines.item_id, "timestamp": timestamps(lines.position)})
        events = ibis.memtable(events).mutate(event_type=ibis.literal("review"), channel=ibis.literal(self.channel))
        card = DatasetCard(self.title, address=_ADDRESS, terms="no licence stated", clock=False)
        items = _items(attributes[0]) if attributes else None
        return Tables(card, events, items=items, drops={"line without items": lines.without_items})


def _items(path: Path) -> ibis.Table:
    attributes = _read_attributes(path)
    category = _categories(attributes)
    return ibis.memtable(
        pa.table(
            {
                "item_id": pa.array(attributes, pa.int64()),
                "attributes": pa.array([" ".join(map(str, ids)) for ids in attributes.values()], pa.string()),
                "category": pa.array([category[item] for item in attributes], pa.string()),
            }
        )
    )


def _read_attributes(path: Path) -> dict[int, list[int]]:
    try:
        return {int(item): [int(i) for i in ids] for item, ids in json.loads(path.read_text()).items()}
    except json.JSONDecodeError as error:
        raise DataError(f"{path}, row {error.lineno}, column {error.colno}: {error.msg}") from None
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not of the form {{item: [attribute, …]}} with whole numbers ({error})") from None


def _categories(attributes: dict[int, list[int]]) -> dict[int, str | None]:
    """Each item's most frequent attribute among those of fewer than half the items; ties: the lower id."""
    n_items = Counter(attribute for ids in attributes.values() for attribute in set(ids))
    rank = {attribute: (n, -attribute) for attribute, n in n_items.items() if 2 * n < len(attributes)}
    best = {item: max(rank.keys() & ids, key=rank.__getitem__, default=None) for item, ids in attributes.items()}
    return {item: None if attribute is None else str(attribute) for item, attribute in best.items()}
