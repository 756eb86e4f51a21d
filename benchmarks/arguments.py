"""What the benchmarks share: their arguments, and the data that they name."""

import tempfile
import time
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from omniretail.config import compose, make
from omniretail.sources.protocol import load
from omniretail.views.cached import load_fold
from omniretail.views.fold import Fold

T = TypeVar("T")


def parser(what: str, description: str | None, *settings: str) -> ArgumentParser:
    """A parser of a benchmark's arguments; parse with ``parse_intermixed_args``.

    Args:
        what: name of the benchmark.
        description: what it measures.
        settings: of its data, by default; none: the benchmark reads no data.
    """
    made = ArgumentParser(
        f"python -m benchmarks {what}", description=description, formatter_class=ArgumentDefaultsHelpFormatter
    )
    if settings:
        made.add_argument("settings", nargs="*", default=list(settings), help="of the data, as for scripts/train.py")
    return made


@contextmanager
def fold_of(settings: Sequence[str]) -> Iterator[Fold]:
    """The test fold of the data, with a cache that ends with the block."""
    with tempfile.TemporaryDirectory() as cache:
        yield prepared(settings, Path(cache))


def prepared(settings: Sequence[str], cache: Path) -> Fold:
    """Raw files to the test fold, through a cache."""
    cfg = compose(*settings)
    return load_fold(load(make(cfg.source), cache), make(cfg.split), "test", cache)


def names(text: str) -> list[str]:
    """A list of names with commas between them, as the type of an argument."""
    return [name.strip() for name in text.split(",")]


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What the work returns, and its seconds."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def seconds(work: Callable[[], Any]) -> float:
    """Seconds that the work takes."""
    return timed(work)[1]
