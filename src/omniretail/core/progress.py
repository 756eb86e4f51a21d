"""Progress of loops that take more than a few seconds: a bar with the time left, or now and then a line of the log."""

import logging
import sys
from collections.abc import Iterator, Sequence
from time import monotonic
from typing import TypeVar

from tqdm import tqdm

log = logging.getLogger(__name__)

SILENT_S = 3.0
"""What is over by then says nothing."""
_EVERY_S = 30.0  # between two lines of the log

T = TypeVar("T")


def progress(steps: Sequence[T], what: str) -> Iterator[T]:
    """The steps one by one; a terminal gets a bar, anything else a line when it takes long and every half minute.

    Args:
        steps: of about equal length.
        what: is done, e.g. ``probes of churn``.

    >>> list(progress([1, 2], "numbers"))
    [1, 2]
    """
    if sys.stderr.isatty():
        yield from tqdm(steps, desc=what, delay=SILENT_S, leave=False)
        return
    began = monotonic()
    next_line = began + SILENT_S
    for done, step in enumerate(steps):
        now = monotonic()
        if done and now >= next_line:
            left = (now - began) / done * (len(steps) - done)
            log.info("%s: %s of %s, about %s left", what, f"{done:,}", f"{len(steps):,}", _duration(left))
            next_line = now + _EVERY_S
        yield step


def _duration(seconds: float) -> str:
    """A time for people.

    >>> _duration(8.4), _duration(200)
    ('8 s', '3 min')
    """
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
