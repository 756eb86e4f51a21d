"""The fixed splits of the LightGCN paper (arXiv 2002.02126), such as that of Gowalla, which most papers report."""

from dataclasses import dataclass, field
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa
from ibis import _

from omniretail.schema import DatasetCard, Tables
from omniretail.sources.parsing.drop_counting import count_drops
from omniretail.sources.parsing.item_lines import ItemLines, read_lines
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION

_ADDRESS = "https://github.com/gusye1234/LightGCN-PyTorch"


@dataclass(frozen=True)
class LightGCN:
    """``train.txt`` and ``test.txt``, one line ``user item item …`` per user, ids from 0.

    The data has neither times nor an order: every ``timestamp`` is 1970-01-01. Test pairs that train has too, and pairs
    that a file repeats, are dropped and counted (Gowalla has neither).

    Args:
        folder: contains the two files.
        title: the dataset's name for people.
        event_type: of all pairs.
        channel: of all pairs.
    """

    folder: str | Path = field(metadata=LOCATION)
    title: str = "Gowalla"
    event_type: str = "checkin"
    channel: str = "offline"

    def files(self) -> list[Path]:
        """See ``Source``."""
        return [Path(self.folder) / "train.txt", Path(self.folder) / "test.txt"]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        train, test = (read_lines(path) for path in self.files())
        rows, drops = _first_of_each(_pairs(train, "train").union(_pairs(test, "test")))
        drops["line without items"] = train.without_items + test.without_items
        events = rows.mutate(event_type=ibis.literal(self.event_type), channel=ibis.literal(self.channel))
        card = DatasetCard(self.title, address=_ADDRESS, terms="no licence stated", clock=False)
        return Tables(card, events, drops=drops)


def _pairs(lines: ItemLines, fold: str) -> ibis.Table:
    epoch = timestamps(np.zeros(len(lines.item_id), dtype=np.int64))
    pairs = pa.table({"user_id": lines.user_id, "item_id": lines.item_id, "timestamp": epoch})
    return ibis.memtable(pairs).mutate(fold=ibis.literal(fold))


def _first_of_each(pairs: ibis.Table) -> tuple[ibis.Table, dict[str, int]]:
    same = ibis.window(group_by=["user_id", "item_id"])
    nth = ibis.row_number().over(group_by=["user_id", "item_id"], order_by=[_.fold.desc()])  # train before test
    marked = pairs.mutate(nth=nth, in_train=(_.fold == "train").any().over(same))
    reasons = {"test pair that train has too": (_.fold == "test") & _.in_train, "repeated pair": _.nth > 0}
    rows, drops = count_drops(marked, reasons)
    return rows.drop("nth", "in_train"), drops
