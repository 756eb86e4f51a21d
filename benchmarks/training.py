"""Training of neural models: seconds per epoch, memory and share of the machine's arithmetic."""

import multiprocessing
import os
import threading
from argparse import Namespace
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib.util import find_spec
from typing import Any

import torch

from benchmarks.arguments import fold_of, names, parser
from benchmarks.training_cost import MODELS, TrainingCost, our_cost
from benchmarks.training_recbole import RECBOLE, recbole_training_cost
from omniretail.views.train import Train

HEAD = (
    "| model | s per epoch | events per s | share of matmul rate | peak MiB (training's own) | validation, s "
    "| RecBole's time / ours |\n|---|--:|--:|--:|--:|--:|--:|"
)
_COMPARED = ("sasrec_softmax", "sasrec_sampled")  # with RecBole's


def main(arguments: list[str]) -> None:
    """Train each model in a process of its own, and print the table.

    Raises:
        SystemExit: where a model is none of those measured.
    """
    options = parser("training", __doc__, "source=beauty")
    options.add_argument("--models", type=names, default=",".join(MODELS), help="to train")
    options.add_argument("--dim", type=int, default=64, help="of embeddings")
    options.add_argument("--epochs", type=int, default=2, help="measured, after one to warm up")
    options.add_argument("--threads", type=int, help="as OMP_NUM_THREADS or the machine says unless set")
    options.add_argument("--peers", type=names, default=[], help="recbole, for a row of RecBole's SASRec")
    options.add_argument(
        "--peer-batches", type=int, help="time so many of a peer's batches and scale up; all unless set"
    )
    chosen = options.parse_intermixed_args(arguments)
    if unknown := set(chosen.models) - set(MODELS):
        raise SystemExit(f"--models: {', '.join(sorted(unknown))} not among {', '.join(MODELS)}")
    with fold_of(chosen.settings) as fold:
        _print_table(fold.train, chosen)


def _print_table(train: Train, chosen: Namespace) -> None:
    n_events = len(train.histories.item_idx)
    print(
        f"{' '.join(chosen.settings)}: {len(train.users):,} users, {len(train.items):,} items, {n_events:,} events; "
        f"dim {chosen.dim}, {chosen.threads or torch.get_num_threads()} threads, the fastest of {chosen.epochs} "
        f"epochs after one to warm up\n\n{HEAD}",
        flush=True,
    )
    peer_s = None
    for measure in [*_peers(chosen), *(partial(our_cost, name) for name in chosen.models)]:
        # a process for each, since memory that one leaves behind would count as the next one's
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _end_with_parent) as alone:
            cost = alone.submit(measure, train, chosen).result()
        if cost.name.startswith(RECBOLE):
            peer_s = cost.epoch_s
        print(_row(cost, n_events, peer_s), flush=True)


def _peers(chosen: Namespace) -> Iterable[Callable[[Train, Namespace], TrainingCost]]:
    """First in the table, so that ours can be compared with them."""
    if "recbole" not in chosen.peers:
        return []
    if find_spec("recbole") is None:
        print("(no row of RecBole's: it is not installed here)", flush=True)
        return []
    return [recbole_training_cost]


def _row(cost: TrainingCost, n_events: int, peer_s: float | None) -> str:
    validation = "" if cost.validation_s is None else f"{cost.validation_s:.2f}"
    ratio = f"{peer_s / cost.epoch_s:.1f}" if peer_s and cost.name in _COMPARED else ""
    return (
        f"| {cost.name} | {cost.epoch_s:.2f} | {n_events / cost.epoch_s:,.0f} "
        f"| {cost.flops / cost.epoch_s / cost.rate:.0%} of {cost.rate / 1e9:,.0f} GFLOP/s "
        f"| {cost.peak_mb:,.0f} ({cost.peak_mb - cost.before_mb:,.0f}) | {validation} | {ratio} |"
    )


def _end_with_parent() -> None:
    """End this process where the one that started it is killed."""

    def wait(parent: Any) -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, args=[multiprocessing.parent_process()], daemon=True).start()
