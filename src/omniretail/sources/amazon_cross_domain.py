"""Pairs of Amazon domains that share customers, as the DisenCDR paper (ICDE 2022) prepared them."""

from dataclasses import dataclass, field
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION

_ADDRESS = "https://github.com/cjx96/DisenCDR"
_NOTE = "Some products are sold in both channels under two ids; split.duplicate_items says whether they stay."


@dataclass(frozen=True)
class AmazonCrossDomain:
    """Two domains as two channels of one log: ``sport`` with ``cloth``, or ``phone`` with ``electronic``.

    Customers are the same in both; an item is named after its channel (``cloth:123``). The data has neither times nor
    an order: every ``timestamp`` is 1970-01-01. One item of each customer of the target channel is held out, as
    published.

    Trap: some products are sold in both domains, under two ids. Where a customer's held-out item is one of them, its
    duplicate nearly always is in the training file of the other domain and gives the answer away. The split leaves such
    duplicates out of the source channel (``TargetChannel(duplicate_items="drop")``), since which items are duplicates
    may only follow from the events before its cutoff.

    Args:
        folder: contains ``sport_cloth`` and the other pairs.
        target_channel: the domain in which items are held out.
        source_channel: the other domain.
    """

    folder: str | Path = field(metadata=LOCATION)
    target_channel: str = "sport"
    source_channel: str = "cloth"

    def files(self) -> list[Path]:
        """See ``Source``.

        Raises:
            DataError: where there is no such pair.
        """
        pairs = sorted(path.name for path in Path(self.folder).glob("*_*") if path.is_dir())
        pair, reverse = (
            f"{self.target_channel}_{self.source_channel}",
            f"{self.source_channel}_{self.target_channel}",
        )
        if pairs and pair not in pairs:
            raise DataError(f"there is no pair {pair}; choose target_channel and source_channel among {pairs}")
        folder = Path(self.folder)
        return [folder / pair / "train.txt", folder / pair / "test.txt", folder / reverse / "train.txt"]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        train, test, other = (_pairs(path) for path in self.files())
        new = ~pd.MultiIndex.from_frame(test).isin(pd.MultiIndex.from_frame(train))
        drops = {"test pair that train has too": int((~new).sum())}
        target = self.target_channel
        parts = [(train, target, "train"), (test[new], target, "test"), (other, self.source_channel, "train")]
        events = pd.concat([_events(frame, channel, fold) for frame, channel, fold in parts], ignore_index=True)
        epoch = timestamps(np.zeros(len(events), dtype=np.int64))
        log = pa.Table.from_pandas(events, preserve_index=False).append_column("timestamp", epoch)
        title = f"Amazon {target}, with {self.source_channel}"
        card = DatasetCard(title, address=_ADDRESS, terms="no licence stated", clock=False, note=_NOTE)
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
