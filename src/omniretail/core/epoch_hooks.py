"""Metrics of each training epoch, passed from whatever trains to whoever listens, such as an MLflow run."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

EpochHook = Callable[[int, Mapping[str, float]], bool | None]
"""Receives an epoch, from 0, and its metrics by name; returns True where no further epoch is wanted."""

_listener: ContextVar[EpochHook | None] = ContextVar("listener", default=None)


@contextmanager
def on_epoch(listener: EpochHook) -> Iterator[None]:
    """Call ``listener`` after every epoch that ends inside the block.

    >>> with on_epoch(lambda epoch, metrics: print(epoch, metrics)):
    ...     report_epoch(0, {"train_loss": 0.5})
    0 {'train_loss': 0.5}
    False
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def report_epoch(epoch: int, metrics: Mapping[str, float]) -> bool:
    """Pass an epoch's metrics to the listener, if there is one; whether it wants no further epoch is returned."""
    listener = _listener.get()
    return listener is not None and bool(listener(epoch, metrics))
