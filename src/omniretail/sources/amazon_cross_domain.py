"""Pairs of Amazon domains that share customers, as the DisenCDR paper (ICDE 2022) prepared them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.duplicate_items import duplicate_items
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION

_ADDRESS = "https://github.com/cjx96/DisenCDR"
Twins = Literal["drop", "keep"]


@dataclass(frozen=True)
class AmazonCrossDomain:
    """Two domains as two channels of one log: ``sport`` with ``cloth``, or ``phone`` with ``electronic``.

    Customers are the same in both; an item is named after its channel (``cloth:123``). There is neither clock nor
    order: every ``timestamp`` is 1970-01-01. One item a customer of the target's is held out, as the files have it.

    Trap: some products are sold in both domains, under two ids. Where a customer's held-out item is one of them, its
    twin nearly always stands in the other domain's training file, so the answer is in the question. By default the
    duplicates (see ``duplicate_items``) leave the other channel's log, counted; the target's log is never touched.

    Args:
        folder: where ``sport_cloth`` and its like lie.
        target: the domain in which items are held out.
        other: the domain beside it.
        duplicate_items: ``drop`` those of the other channel, or ``keep`` them, which is what published figures do.
    """

    folder: str | Path = field(metadata=LOCATION)
    target: str = "sport"
    other: str = "cloth"
    duplicate_items: Twins = "drop"

    def files(self) -> list[Path]:
        """See ``Source``; the last one is read for duplicate items only.

        Raises:
            DataError: where there is no such pair, or ``duplicate_items`` is another word.
        """
        if self.duplicate_items not in get_args(Twins):
            raise DataError(
                f"source.duplicate_items={self.duplicate_items!r} is not one of {', '.join(get_args(Twins))}"
            )
        pairs = sorted(path.name for path in Path(self.folder).glob("*_*") if path.is_dir())
        if pairs and f"{self.target}_{self.other}" not in pairs:
            raise DataError(f"there is no pair {self.target}_{self.other}; choose target and other among {pairs}")
        sides = (f"{self.target}_{self.other}", f"{self.other}_{self.target}")
        return [Path(self.folder) / side / f"{name}.txt" for side in sides for name in ("train", "test")]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        train, test, other, other_test = (_pairs(path) for path in self.files())
        drops = {"test pair that train has too": 0, "item sold in the target channel too": 0}
        new = ~pd.MultiIndex.from_frame(test).isin(pd.MultiIndex.from_frame(train))
        drops["test pair that train has too"] = int((~new).sum())
        if self.duplicate_items == "drop":
            _, theirs = duplicate_items(pd.concat([train, test]), pd.concat([other, other_test]))
            own = ~other.item_id.isin(theirs)
            drops["item sold in the target channel too"], other = int((~own).sum()), other[own]
        parts = [(train, self.target, "train"), (test[new], self.target, "test"), (other, self.other, "train")]
        events = pd.concat([_events(frame, channel, fold) for frame, channel, fold in parts], ignore_index=True)
        epoch = timestamps(np.zeros(len(events), dtype=np.int64))
        log = pa.Table.from_pandas(events, preserve_index=False).append_column("timestamp", epoch)
        title = f"Amazon {self.target}, with {self.other}"
        note = "Products sold in both channels are left in." if self.duplicate_items == "keep" else ""
        card = DatasetCard(title, address=_ADDRESS, terms="no licence stated", clock=False, note=note)
        return Tables(card, ibis.memtable(log), drops=drops)


def _pairs(path: Path) -> pd.DataFrame:
    """``user_id, item_id`` of a file with lines ``user item 1``, tabs between."""
    try:
        frame = pd.read_csv(path, sep="\t", header=None, names=["user_id", "item_id", "rating"], dtype=np.int64)
    except (ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path}: lines must be 'user item 1', whole numbers between tabs ({error})") from None
    return frame.drop(columns="rating").drop_duplicates()


def _events(pairs: pd.DataFrame, channel: str, fold: str) -> pd.DataFrame:
    item_id = channel + ":" + pairs.item_id.astype(str)
    return pairs.assign(item_id=item_id, channel=channel, event_type="review", fold=fold)
