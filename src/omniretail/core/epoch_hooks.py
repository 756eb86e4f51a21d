"""Learning curves while they are drawn: training tells, whoever listens keeps."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

EpochHook = Callable[[int, Mapping[str, float]], None]
"""Takes an epoch, from 0, and its figures."""

_listener: ContextVar[EpochHook | None] = ContextVar("listener", default=None)


@contextmanager
def on_epoch(listener: EpochHook) -> Iterator[None]:
    """Hear of every epoch that ends inside the block.

    >>> with listening(lambda epoch, figures: print(epoch, figures)):
    ...     tell(0, {"train_loss": 0.5})
    0 {'train_loss': 0.5}
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report_epoch(epoch: int, figures: Mapping[str, float]) -> None:
    """Pass an epoch's figures on; without a listener nothing happens."""
    listener = _listener.get()
    if listener is not None:
        listener(epoch, figures)
