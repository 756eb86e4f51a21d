"""Measure what is said of speed: raw files to views, ranking, training, profiles, serving, and more."""

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from hydra.utils import instantiate

from benchmarks.lifetime import lifetime
from benchmarks.tianchi import tianchi
from omniretail.config import compose
from omniretail.metrics.evaluate_lists import evaluate_lists
from omniretail.models.top_k import batches, top_k
from omniretail.sources.protocol import load
from omniretail.views.cached import load_fold
from omniretail.views.fold import Fold


def main() -> None:
    """Run one of the benchmarks and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    choices = ["views", "evaluation", "training", "profiles", "lifetime", "tianchi_o2o", "onnx", "serving"]
    parser.add_argument("what", choices=choices)
    parser.add_argument("--source", help="default: complete_journey for views and profiles, else beauty")
    only = parser.add_argument_group("for training; --models for profiles and serving, the rest in part for onnx")
    only.add_argument("--models", nargs="+", help="default: all; for profiles all but the slowest")
    only.add_argument("--dim", type=int, default=64)
    only.add_argument("--epochs", type=int, default=2, help="measured, after one to warm up; default: 2")
    only.add_argument("--threads", type=int, help="default: what OMP_NUM_THREADS or the machine says")
    only.add_argument("--peers", nargs="+", choices=["recbole"], default=[], help="to be set beside ours")
    only.add_argument("--peer-batches", type=int, help="time so many of a peer's batches and scale up; default: all")
    arguments = parser.parse_args()
    if arguments.what == "views":
        views(arguments.source or "complete_journey")
    elif arguments.what == "evaluation":
        evaluation(arguments.source or "beauty")
    elif arguments.what == "profiles":
        _profiles(arguments.source or "complete_journey", arguments.models)
    elif arguments.what == "lifetime":
        lifetime()
    elif arguments.what == "tianchi_o2o":
        tianchi()
    elif arguments.what == "onnx":
        onnx(arguments)
    elif arguments.what == "serving":
        _serving(arguments)
    else:
        training(arguments)


def views(source: str) -> None:
    """Raw files to the test fold, with an empty cache and with a full one."""
    with tempfile.TemporaryDirectory() as cache:
        cold, _ = _load(source, Path(cache))
        warm, fold = _load(source, Path(cache))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    events = len(fold.train.histories.item_idx)
    print(f"{source}, {events:,} training events: cold {cold:.2f} s, from the cache {warm:.2f} s, peak {peak:,.0f} MiB")


def evaluation(source: str) -> None:
    """Ranking and all metrics for every user of the test fold, beside the scoring itself."""
    with tempfile.TemporaryDirectory() as cache:
        _, fold = _load(source, Path(cache))
    metrics = instantiate(compose(f"source={source}").metrics)
    k, rng = max(metrics.ks), np.random.default_rng(0)
    ranked = np.empty((len(fold.users), k), dtype=np.int32)
    ranking = 0.0
    for rows in batches(len(fold.users), len(fold.train.items), memory_mb=256):
        scores = rng.random((rows.stop - rows.start, len(fold.train.items)), dtype=np.float32)  # stands for a model's
        start = time.perf_counter()
        ranked[rows], _ = top_k(scores, k)
        ranking += time.perf_counter() - start
    start = time.perf_counter()
    evaluate_lists(ranked, fold, metrics)
    judging = time.perf_counter() - start
    print(
        f"{source}, {len(fold.users):,} users x {len(fold.train.items):,} items, "
        f"{len(metrics.per_user)} metrics at k = {list(metrics.ks)}: "
        f"top {k} {ranking:.2f} s + metrics {judging:.2f} s = {ranking + judging:.2f} s besides scoring"
    )


def training(arguments: argparse.Namespace) -> None:
    """Seconds per epoch, memory and arithmetic of the neural models, beside RecBole's if asked for."""
    from benchmarks import training  # not above: it brings torch along, whose memory would count as that of the views

    with tempfile.TemporaryDirectory() as cache:
        _, fold = _load(arguments.source or "beauty", Path(cache))
    training.training(fold.train, arguments)


def onnx(arguments: argparse.Namespace) -> None:
    """A single request to SASRec by torch and by ONNX Runtime, after so many epochs."""
    from benchmarks import onnx

    with tempfile.TemporaryDirectory() as cache:
        _, fold = _load(arguments.source or "beauty", Path(cache))
    onnx.onnx(fold, arguments.epochs, arguments.dim)


def _serving(arguments: argparse.Namespace) -> None:
    from benchmarks import serving  # not above, as with training

    source = arguments.source or "beauty"
    with tempfile.TemporaryDirectory() as cache:
        _, fold = _load(source, Path(cache))
    serving.serving(fold, arguments.models or list(serving.MODELS), source)


def _profiles(source: str, names: list[str] | None) -> None:
    from benchmarks.profiles import profiles  # not above, as with training

    with tempfile.TemporaryDirectory() as cache:
        _, fold = _load(source, Path(cache))
    profiles(fold.train, source, names)


def _load(source: str, cache: Path) -> tuple[float, Fold]:
    cfg = compose(f"source={source}")
    start = time.perf_counter()
    fold = load_fold(load(instantiate(cfg.source), cache), instantiate(cfg.split), "test", cache)
    return time.perf_counter() - start, fold


if __name__ == "__main__":
    main()
