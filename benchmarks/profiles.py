"""What profiles cost on real groceries: seconds to fit each encoder, and to embed every customer afterwards."""

import time
from collections.abc import Sequence

from hydra.utils import instantiate

from benchmarks.lifetime import lifetime
from omniretail.config import compose
from omniretail.views.train import Train

_ENCODERS = ("table", "svd", "item2vec", "ials", "coles")
WITHIN = {"table": (5.0, 5.0), "coles": (600.0, 5.0)}
"""Seconds promised to fit and to embed; the others have the latter alone."""


def profiles(train: Train, source: str, names: Sequence[str] | None) -> None:
    """Fit and embed with each encoder of ``configs/model/profile`` named, then lifetime value of a million customers.

    Args:
        train: who is to be known.
        source: name of its source, whose settings count.
        names: encoders; None: those without a network, and CoLES.
    """
    for name in names or _ENCODERS:
        encoder = instantiate(compose(f"source={source}", f"model=profile/{name}", "trainer.checkpoints=null").model)
        fit_within, embed_within = WITHIN.get(name, (None, 5.0))
        start = _clocks()
        encoder.fit(train)
        fit_s = _since(start, fit_within)
        start = _clocks()
        vectors = encoder.embed(train.histories, train.at)
        embed_s = _since(start, embed_within)
        print(f"{name}: fit {fit_s}; {len(vectors):,} customers x {vectors.shape[1]} embedded {embed_s}", flush=True)
    lifetime()


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float], within: float | None) -> str:
    """Seconds on the wall, and of a processor: a busy machine has fewer of the latter to give."""
    wall, cpu = (now - then for now, then in zip(_clocks(), start, strict=True))
    verdict = "" if within is None else f", {'within' if wall <= within else 'OVER'} {within:g} s"
    return f"{wall:.1f} s ({cpu:.1f} s of CPU{verdict})"
