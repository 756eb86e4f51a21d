"""What the processes of the tests about concurrency do; each is started anew and opens the registry by itself."""

import os
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from mlflow import MlflowClient

from omniretail.registry import promotion
from omniretail.registry import promotion_lock as lock
from omniretail.registry.gate import Gate

GATE = Gate(guards={}, max_latency_ratio=None)


def promote(uri: str, name: str, version: str, force: str, met: Barrier, answer: Connection) -> None:
    """Promote, and send the outcome; the gate has decided for all before any of them acquires the lock."""
    own_lock, waiting = promotion.promotion_lock, [met]

    def after_all_decisions(*arguments: object) -> object:
        if waiting:
            waiting.pop().wait(60)
        return own_lock(*arguments)  # type: ignore[arg-type]

    promotion.promotion_lock = after_all_decisions  # type: ignore[assignment]
    outcome = promotion.promote(uri, name, version, GATE, force)
    answer.send((outcome.version, outcome.before, outcome.promoted, [check.name for check in outcome.failed]))


def promote_after(uri: str, name: str, version: str, expiry_s: float, answer: Connection) -> None:
    """Promote where the lock may be held by a dead process."""
    lock.EXPIRY_S = expiry_s
    began = time.monotonic()
    outcome = promotion.promote(uri, name, version, GATE, "whoever comes")
    answer.send((outcome.version, outcome.before, time.monotonic() - began))


def hold(uri: str, name: str, answer: Connection) -> None:
    """Acquire the lock and never release it."""
    with lock.promotion_lock(MlflowClient(uri, uri), name, "anna@till"):
        answer.send(os.getpid())
        time.sleep(600)
