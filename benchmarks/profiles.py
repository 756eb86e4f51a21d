"""Profile encoders and lifetime value: seconds to fit and to embed every customer."""

import time

from benchmarks import lifetime
from benchmarks.arguments import fold_of, names, parser
from omniretail.config import compose, make

ENCODERS = "table,svd,item2vec,ials,coles"
LIMITS_S = {"table": (5.0, 5.0), "coles": (600.0, 5.0)}
"""Seconds allowed to fit and to embed; for other encoders to embed only."""


def main(arguments: list[str]) -> None:
    """Fit and embed with each encoder of ``configs/model/profile`` that is named."""
    options = parser("profiles", __doc__, "source=complete_journey")
    options.add_argument("--models", type=names, default=ENCODERS, help="files of configs/model/profile")
    options.add_argument("--customers", type=int, default=1_000_000, help="simulated for lifetime value")
    chosen = options.parse_intermixed_args(arguments)
    with fold_of(chosen.settings) as fold:
        for name in chosen.models:
            encoder = make(compose(*chosen.settings, f"model=profile/{name}", "trainer.checkpoints=null").model)
            fit_limit, embed_limit = LIMITS_S.get(name, (None, 5.0))
            start = _clocks()
            encoder.fit(fold.train)
            fit_s = _since(start, fit_limit)
            start = _clocks()
            vectors = encoder.embed(fold.train.histories, fold.train.at)
            embed_s = _since(start, embed_limit)
            print(
                f"{name}: fit {fit_s}; {len(vectors):,} customers x {vectors.shape[1]} embedded {embed_s}", flush=True
            )
    lifetime.main([f"--customers={chosen.customers}"])


def _clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(start: tuple[float, float], limit: float | None) -> str:
    """Wall-clock seconds, and seconds of a processor, which are fewer on a busy machine."""
    wall, cpu = (now - then for now, then in zip(_clocks(), start, strict=True))
    verdict = "" if limit is None else f", {'within' if wall <= limit else 'OVER'} {limit:g} s"
    return f"{wall:.1f} s ({cpu:.1f} s of CPU{verdict})"
