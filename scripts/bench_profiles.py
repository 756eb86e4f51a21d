"""What profiles cost on real groceries: seconds to fit each encoder, and to embed every customer afterwards."""

import time
from collections.abc import Sequence

from hydra.utils import instantiate

from bench_lifetime import lifetime
from omniretail.run import compose
from omniretail.views.fold import Train

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
        start = time.perf_counter()
        encoder.fit(train)
        fitted = time.perf_counter()
        vectors = encoder.embed(train.histories, train.at)
        embed_s = time.perf_counter() - fitted
        fit_within, embed_within = WITHIN.get(name, (None, 5.0))
        print(
            f"{name}: fit {_seconds(fitted - start, fit_within)}, {len(vectors):,} customers embedded in "
            f"{_seconds(embed_s, embed_within)}, {vectors.shape[1]} columns",
            flush=True,
        )
    lifetime()


def _seconds(taken: float, within: float | None) -> str:
    if within is None:
        return f"{taken:.1f} s"
    return f"{taken:.1f} s ({'within' if taken <= within else 'OVER'} {within:g} s)"
