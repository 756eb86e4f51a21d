"""What the processes of the tests about concurrency do; each is started anew and opens the registry by itself."""

import os
import time
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

from mlflow import MlflowClient

from omniretail.registry import promotion
from omniretail.registry import promotion_lock as turns
from omniretail.registry.gate import Gate

GATE = Gate(groups=0)


def promote(uri: str, name: str, version: str, force: str, met: Barrier, said: Connection) -> None:
    """Promote, and say what came of it; all judge before any of them takes its turn."""
    own_turn, waiting = promotion.turn, [met]

    def after_all_have_judged(*arguments: object) -> object:
        if waiting:
            waiting.pop().wait(60)
        return own_turn(*arguments)  # type: ignore[arg-type]

    promotion.turn = after_all_have_judged  # type: ignore[assignment]
    outcome = promotion.promote(uri, name, version, GATE, force)
    said.send((outcome.version, outcome.before, outcome.promoted, [check.name for check in outcome.failed]))


def promote_after(uri: str, name: str, version: str, silent_s: float, said: Connection) -> None:
    """Promote past a queue that may hold dead tickets."""
    turns.SILENT_S = silent_s
    began = time.monotonic()
    outcome = promotion.promote(uri, name, version, GATE, "whoever comes")
    said.send((outcome.version, outcome.before, time.monotonic() - began))


def hold(uri: str, name: str, said: Connection) -> None:
    """Take the turn and never give it back."""
    with turns.promotion_lock(MlflowClient(uri, uri), name, "anna@till"):
        said.send(os.getpid())
        time.sleep(600)
