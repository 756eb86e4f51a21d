"""Diginetica, the sessions of a web shop, as SR-GNN and GCE-GNN prepared them (arXiv 1811.00855, 2106.05081)."""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import ibis
import numpy as np
import pyarrow as pa

from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.parsing.item_lines import whole_numbers
from omniretail.sources.parsing.order_as_time import timestamps
from omniretail.sources.protocol import LOCATION

Lines = list[np.ndarray]


@dataclass(frozen=True)
class Diginetica:
    """Sessions for training, oldest first, and prefixes of test sessions, each with the item that followed.

    Each line of either file is a user of its own: in training ``item item …``, one session; in test
    ``item item …<tab>next item``, where the last of the user's events is the one to predict. The data has an order but
    no times: ``timestamp`` is the number of the event in its file in seconds, so that later lines are later; those of
    test come after all of training.

    Args:
        folder: contains ``train.txt`` and ``test.txt``, or either with the ending ``.gz``.
        name: of the dataset.
        event_type: of all events.
        channel: of all events.
    """

    folder: str | Path = field(metadata=LOCATION)
    name: str = "diginetica"
    event_type: str = "view"
    channel: str = "online"

    def files(self) -> list[Path]:
        """See ``Source``."""
        return [_plain_or_gzip(Path(self.folder) / name) for name in ("train.txt", "test.txt")]

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``."""
        train_file, test_file = self.files()
        train, without_item = _with_at_least(1, _sessions(train_file))
        test, without_prefix = _with_at_least(2, _prefixes(test_file))
        if not train:
            raise DataError(f"{train_file} is empty: it needs one session per line, 'item item …', oldest first")
        lengths = np.array([len(each) for each in train + test])
        events = pa.table(
            {
                "user_id": np.repeat(np.arange(len(lengths)), lengths),
                "item_id": np.concatenate(train + test),
                "timestamp": timestamps(np.arange(lengths.sum())),
                "fold": np.repeat(["train", "test"], [lengths[: len(train)].sum(), lengths[len(train) :].sum()]),
            }
        )
        rows = ibis.memtable(events).mutate(
            event_type=ibis.literal(self.event_type), channel=ibis.literal(self.channel)
        )
        card = DatasetCard(self.name, "https://github.com/CCIIPLab/GCE-GNN", "no licence stated", clock=False)
        return Tables(
            card, rows, drops={"session without items": without_item, "test row without a prefix": without_prefix}
        )


def _plain_or_gzip(path: Path) -> Path:
    return path if path.is_file() else path.with_name(f"{path.name}.gz")


def _sessions(path: Path) -> Iterator[np.ndarray]:
    for row, text in _rows(path):
        yield whole_numbers(text.split(), path, row)


def _prefixes(path: Path) -> Iterator[np.ndarray]:
    """Prefixes, each with its next item as the last one."""
    for row, text in _rows(path):
        prefix, tab, following = text.rstrip("\r\n").partition("\t")
        if not tab or len(following.split()) != 1:
            raise DataError(f"{path}, row {row}: not of the form 'item item …<tab>next item': {text.strip()[:60]!r}")
        yield whole_numbers([*prefix.split(), *following.split()], path, row)


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    """Numbers and texts of the lines that are not blank.

    Raises:
        DataError: where the file ends in ``.gz`` and is not compressed by gzip.
    """
    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8", errors="replace") as file:
            yield from ((row, text) for row, text in enumerate(file, start=1) if text.strip())
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(f"{path}: not a whole gzip file ({error})") from None


def _with_at_least(n: int, lines: Iterator[np.ndarray]) -> tuple[Lines, int]:
    """The lines with that many items, and how many have fewer."""
    every = list(lines)
    enough = [each for each in every if len(each) >= n]
    return enough, len(every) - len(enough)
