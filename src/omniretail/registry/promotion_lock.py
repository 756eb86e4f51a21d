"""One promotion at a time: a lock inside the registry, on whatever store is behind it.

MLflow has neither a lock nor a compare-and-swap. Each of its stores has version numbers that are never assigned
twice, not even after a version is deleted. So a process that wants the lock makes a version of the registered model
``<name>.promotion-lock``: the lowest version holds the lock and is deleted at its release. Any waiting process may
delete the version of a holder that has died, and the next in line then holds the lock. (A ticket lock: Mellor-Crummey
and Scott, "Algorithms for scalable synchronization on shared-memory multiprocessors", ACM TOCS 1991.)
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

from omniretail.serving.lookup import LOCK

TIMEOUT_S = 180.0
"""How long a promotion waits for the lock, seconds."""
EXPIRY_S = 60.0
"""A holder without a heartbeat for so long, seconds, counts as dead; a promotion holds the lock for well below one."""
_POLL_S = 0.2
_DESCRIPTION = "Lock of this model's promotions: one version per waiting process, deleted at its release."


@contextmanager
def promotion_lock(client: MlflowClient, name: str, owner: str) -> Iterator[Callable[[], None]]:
    """Wait for the lock, and hold it for as long as the block lasts.

    Args:
        client: of the registry.
        name: of the registered model.
        owner: is named to those who wait.

    Yields:
        A function to be called right before anything is written: raises TimeoutError where the lock has expired because
        this process was suspended for ``EXPIRY_S``.

    Raises:
        TimeoutError: after ``TIMEOUT_S``, naming who holds the lock and since when.
    """
    place = _enqueue(client, name + LOCK, f"{owner}, process {os.getpid()}")
    try:
        _acquire(place, name)
        yield place.heartbeat
    finally:
        _release(client, place.lock, place.number)


@dataclass(frozen=True)
class _Place:
    """A place in the line for the lock.

    Attributes:
        number: the lowest holds the lock.
        started: when it was made, by the store's clock, seconds; and by this process's own, which alone is read then.
    """

    client: MlflowClient
    lock: str
    owner: str
    number: int
    started: tuple[float, float]

    def now(self) -> float:
        """The store's clock, seconds: clocks of other machines may differ."""
        return self.started[0] + time.monotonic() - self.started[1]

    def heartbeat(self) -> None:
        """Show that this process lives; TimeoutError where its place has expired."""
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        try:
            self.client.update_model_version(self.lock, str(self.number), description=f"{self.owner}, {since}")
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise TimeoutError(
                f"this process was suspended for more than {EXPIRY_S:.0f} s and lost the lock to the next; nothing was "
                "changed, try again"
            ) from None

    def line(self) -> dict[int, ModelVersion]:
        """All places by number."""
        places = self.client.search_model_versions(f"name = '{self.lock}'")
        return {int(each.version): each for each in places}


def _enqueue(client: MlflowClient, lock: str, owner: str) -> _Place:
    try:
        client.create_registered_model(lock, description=_DESCRIPTION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    made = client.create_model_version(lock, "promotion:/lock", await_creation_for=0, description=owner)
    return _Place(client, lock, owner, int(made.version), ((made.creation_timestamp or 0) / 1000, time.monotonic()))


def _acquire(place: _Place, name: str) -> None:
    begin = last_heartbeat = place.now()
    while True:
        line, now = place.line(), place.now()
        holder = line[min(line)] if line else None
        if holder is not None and int(holder.version) == place.number:
            return place.heartbeat()
        if holder is not None and now - (holder.last_updated_timestamp or 0) / 1000 > EXPIRY_S:
            _release(place.client, place.lock, int(holder.version))
        elif now - begin > TIMEOUT_S:
            raise TimeoutError(_timed_out(holder, name))
        elif now - last_heartbeat > EXPIRY_S / 4:
            place.heartbeat()
            last_heartbeat = now
        time.sleep(_POLL_S)


def _timed_out(holder: ModelVersion | None, name: str) -> str:
    owner = holder.description if holder is not None else "another process"
    return (
        f"waited {TIMEOUT_S:.0f} s for the lock on promotions of {name}; it is held by {owner}. Try again later: "
        f"a holder without a heartbeat for {EXPIRY_S:.0f} s loses the lock"
    )


def _release(client: MlflowClient, lock: str, number: int) -> None:
    with suppress(MlflowException):  # released already; or the store is down, and the lock will expire
        client.delete_model_version(lock, str(number))
