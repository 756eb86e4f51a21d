"""One promotion at a time: a queue inside the registry, on whatever store is behind it.

MLflow has neither a lock nor a compare-and-swap. What each of its stores does have are version numbers, given once and
never again, not even after a version is deleted. So whoever wants a turn draws a ticket, which is a version of the
registered model ``<name>.promotion-lock``: the lowest ticket there is has its turn, and is deleted when that is over.
Any number of those who wait may delete a dead holder's ticket, and only the next in line gains by it. (A ticket lock:
Mellor-Crummey and Scott, "Algorithms for scalable synchronization on shared-memory multiprocessors", ACM TOCS 1991.)
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

LOCK = ".promotion-lock"
"""How the name of a queue ends."""
WAIT_S = 180.0
"""So long a promotion waits for its turn, seconds."""
SILENT_S = 60.0
"""Whoever has not been heard of for so long, seconds, is taken for dead; a turn takes well below one."""
_LOOK_S = 0.2
_ABOUT = "Those who move this model's champion draw their turns here: one version each, deleted when it is over."


@contextmanager
def promotion_lock(client: MlflowClient, name: str, who: str) -> Iterator[Callable[[], None]]:
    """Wait for a turn, and have it for as long as the block lasts.

    Args:
        client: of the registry.
        name: of the registered model.
        who: is named to those who wait.

    Yields:
        A function to be called right before anything is written: raises TimeoutError where the turn was lost because
        this process stood still for ``SILENT_S``.

    Raises:
        TimeoutError: after ``WAIT_S``, naming who has the turn and since when.
    """
    ticket = _draw(client, name + LOCK, f"{who}, process {os.getpid()}")
    try:
        _wait(ticket, name)
        yield ticket.speak
    finally:
        _delete(client, ticket.lock, ticket.number)


@dataclass(frozen=True)
class _Ticket:
    """A place in the queue.

    Attributes:
        number: the lower, the sooner.
        given: when, by the store's clock, seconds; and by this process's own, which alone is read from then on.
    """

    client: MlflowClient
    lock: str
    who: str
    number: int
    given: tuple[float, float]

    def now(self) -> float:
        """The store's clock, seconds: clocks of other machines may differ."""
        return self.given[0] + time.monotonic() - self.given[1]

    def speak(self) -> None:
        """Be heard of; TimeoutError where the ticket was taken for dead."""
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        try:
            self.client.update_model_version(self.lock, str(self.number), description=f"{self.who}, {since}")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise TimeoutError(
                f"this process stood still for more than {SILENT_S:.0f} s and lost its turn to the next; nothing was "
                "changed, try again"
            ) from None

    def queue(self) -> dict[int, ModelVersion]:
        """All tickets by number."""
        found = self.client.search_model_versions(f"name = '{self.lock}'")
        return {int(each.version): each for each in found}


def _draw(client: MlflowClient, lock: str, who: str) -> _Ticket:
    try:
        client.create_registered_model(lock, description=_ABOUT)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    drawn = client.create_model_version(lock, "promotion:/queue", await_creation_for=0, description=who)
    return _Ticket(client, lock, who, int(drawn.version), ((drawn.creation_timestamp or 0) / 1000, time.monotonic()))


def _wait(mine: _Ticket, name: str) -> None:
    begun = spoken = mine.now()
    while True:
        queue, now = mine.queue(), mine.now()
        first = queue[min(queue)] if queue else None
        if first is not None and int(first.version) == mine.number:
            return mine.speak()
        if first is not None and now - (first.last_updated_timestamp or 0) / 1000 > SILENT_S:
            _delete(mine.client, mine.lock, int(first.version))
        elif now - begun > WAIT_S:
            raise TimeoutError(_taken(first, name))
        elif now - spoken > SILENT_S / 4:
            mine.speak()
            spoken = now
        time.sleep(_LOOK_S)


def _taken(first: ModelVersion | None, name: str) -> str:
    holder = first.description if first is not None else "somebody"
    return (
        f"waited {WAIT_S:.0f} s for a turn to move the champion of {name}; it is held by {holder}. Try again later: "
        f"a holder that is not heard of for {SILENT_S:.0f} s loses its turn"
    )


def _delete(client: MlflowClient, lock: str, number: int) -> None:
    with suppress(MlflowException):  # gone already; or the store is down, and silence will end the turn
        client.delete_model_version(lock, str(number))
