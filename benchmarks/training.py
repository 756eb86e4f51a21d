"""What training costs: seconds, memory and the share of the machine's arithmetic, a row per model."""

import multiprocessing
import os
import threading
import time
from argparse import Namespace
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from itertools import islice
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
import torch
from threadpoolctl import threadpool_limits
from torch.utils.flop_counter import FlopCounterMode, sdpa_backward_flop_count, sdpa_flop_count

from omniretail.core.epoch_hooks import on_epoch
from omniretail.core.resources import metered
from omniretail.models.recommenders.gru4rec import GRU4Rec
from omniretail.models.recommenders.lightgcn import LightGCN
from omniretail.models.recommenders.mult_vae import MultVAE
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.models.training import Training, networks
from omniretail.models.training.early_stopping import set_aside
from omniretail.models.training.fit import fit_network
from omniretail.views.train import Train

SEED = 1
MODELS: Mapping[str, Callable[[int, Training], Any]] = {  # the classes' defaults, whatever is tuned for the source
    "sasrec_softmax": lambda dim, training: SASRec(dim, loss="softmax", seed=SEED, training=training),
    "sasrec_sampled": lambda dim, training: SASRec(dim, n_negatives=1024, seed=SEED, training=training),
    "gru4rec": lambda dim, training: GRU4Rec(dim, seed=SEED, training=training),
    "lightgcn": lambda dim, training: LightGCN(dim, seed=SEED, training=training),
    "mult_vae": lambda dim, training: MultVAE(seed=SEED, training=training),  # its widths are its own
    "two_tower": lambda dim, training: TwoTower(dim, seed=SEED, training=training),
}
RECBOLES_OWN = "RecBole SASRec, softmax"
_RIVALS = ("sasrec_softmax", "sasrec_sampled")  # set beside RecBole's


@dataclass(frozen=True)
class Cost:
    """A row.

    Attributes:
        name: of the variant, and what is particular about its figures.
        epoch_s: the fastest measured epoch.
        flops: of an epoch.
        rate: FLOPs per second of a large matrix product, measured right before.
        peak_mb: highest resident memory, MiB.
        before_mb: of it what was there before training: the interpreter, torch and the data.
        validation_s: judging all users once; None: not measured.
    """

    name: str
    epoch_s: float
    flops: float
    rate: float
    peak_mb: float
    before_mb: float
    validation_s: float | None


def training(train: Train, options: Namespace) -> None:
    """Print the table.

    Args:
        train: what is learned from.
        options: of the command line.
    """
    names = options.models or list(MODELS)
    if unknown := set(names) - set(MODELS):
        raise SystemExit(f"--models: {', '.join(sorted(unknown))} not among {', '.join(MODELS)}")
    n_events = len(train.histories.item_idx)
    print(
        f"{options.source or 'beauty'}: {len(train.users):,} users, {len(train.items):,} items, {n_events:,} events; "
        f"dim {options.dim}, {options.threads or torch.get_num_threads()} threads, the fastest of {options.epochs} "
        f"epochs after one to warm up\n\n"
        "| model | s per epoch | events per s | share of matmul rate | peak MiB (training's own) | validation, s "
        "| RecBole's time / ours |\n|---|--:|--:|--:|--:|--:|--:|",
        flush=True,
    )
    theirs = None
    for work in [*_peers(options), *(partial(ours, name) for name in names)]:
        # a process for each, since what one leaves behind would count as the next one's memory
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _end_with_parent) as alone:
            cost = alone.submit(work, train, options).result()
        if cost.name.startswith(RECBOLES_OWN):
            theirs = cost.epoch_s
        print(_row(cost, n_events, theirs), flush=True)


def ours(name: str, train: Train, options: Namespace) -> Cost:
    """Train one of our models as anyone would, and judge it once for all users."""
    with _threads(options.threads):
        before, rate = psutil.Process().memory_info().rss / 2**20, matmul_rate()
        model = MODELS[name](options.dim, Training(epochs=1 + options.epochs, patience=0, checkpoints=None))
        ends: list[float] = []  # of epochs; the first one's beginning nobody tells, so it is the one to warm up
        with metered() as cost, on_epoch(lambda *_: ends.append(time.perf_counter())), _caught() as tasks:
            model.fit(train)
        (task,) = tasks
        _, inner = set_aside(train.histories, len(train.histories), SEED)
        validation_s = min(_seconds(partial(inner.judge, task.eval())) for _ in range(options.epochs))
        task.train()
        plan = task.batches(np.random.default_rng(SEED), 1)
        flops = sum(_flops(partial(task.loss, batch)) for batch in plan)
        return Cost(name, float(np.diff(ends).min()), flops, rate, cost.peak_memory_mb, before, validation_s)


def recboles_own(train: Train, options: Namespace) -> Cost:
    """RecBole's SASRec in RecBole's loop: a sample per prefix, padded to ``MAX_ITEM_LIST_LENGTH``."""
    from omniretail.models.recommenders.recbole.containment import contained
    from omniretail.models.recommenders.recbole.library import module
    from omniretail.models.recommenders.recbole.settings import config_of
    from omniretail.models.recommenders.recbole.tables import attribute_words, tables_of
    from omniretail.models.recommenders.recbole.training import _prepared  # the loader is handed out nowhere else

    params = {
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "MAX_ITEM_LIST_LENGTH": 50,
        "hidden_size": options.dim,
        "train_batch_size": 2048,
    }
    with _threads(options.threads), contained(SEED):
        before, rate = psutil.Process().memory_info().rss / 2**20, matmul_rate()
        with metered() as cost:
            config = config_of("SASRec", params, epochs=1, patience=0, seed=SEED, device="cpu")
            tables = tables_of(
                train.histories.offsets, train.histories.item_idx, *attribute_words(train.item_table, ()), False
            )
            model, _, loader, _ = _prepared(config, tables, SEED)
            trainer = module("utils").get_trainer(config["MODEL_TYPE"], "SASRec")(config, model)
            share = min(options.peer_batches or len(loader), len(loader))
            trainer._train_epoch(_First(loader, max(1, share // 10)), 0, show_progress=False)
            epoch = partial(trainer._train_epoch, _First(loader, share), 1, show_progress=False)
            share_s = min(_seconds(epoch) for _ in range(options.epochs))
        scale = len(loader) / share
        flops = _flops(partial(model.calculate_loss, next(iter(loader)))) * len(loader)  # its batches are all alike
        scaled = f" (scaled up from {share} of {len(loader)} batches)" if share < len(loader) else ""
        return Cost(RECBOLES_OWN + scaled, share_s * scale, flops, rate, cost.peak_memory_mb, before, None)


class _First:
    """The first batches of a loader, which RecBole goes through as through the loader itself."""

    def __init__(self, loader: Any, n: int) -> None:
        self.loader, self.n = loader, n

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.loader), self.n)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


def _peers(options: Namespace) -> Iterable[Callable[[Train, Namespace], Cost]]:
    """First in the table, so that ours can be set beside them."""
    if "recbole" not in options.peers:
        return []
    if find_spec("recbole") is None:
        print("(no row of RecBole's: it is not installed here)", flush=True)
        return []
    return [recboles_own]


def _row(cost: Cost, n_events: int, theirs: float | None) -> str:
    validation = "" if cost.validation_s is None else f"{cost.validation_s:.2f}"
    ratio = f"{theirs / cost.epoch_s:.1f}" if theirs and cost.name in _RIVALS else ""
    return (
        f"| {cost.name} | {cost.epoch_s:.2f} | {n_events / cost.epoch_s:,.0f} "
        f"| {cost.flops / cost.epoch_s / cost.rate:.0%} of {cost.rate / 1e9:,.0f} GFLOP/s "
        f"| {cost.peak_mb:,.0f} ({cost.peak_mb - cost.before_mb:,.0f}) | {validation} | {ratio} |"
    )


def matmul_rate(size: int = 2048, repeat: int = 10) -> float:
    """FLOPs per second of a square product in float32, the best of some."""
    left, right = torch.randn(2, size, size)
    return 2 * size**3 / min(_seconds(partial(torch.mm, left, right)) for _ in range(repeat))


def _flops(loss: Callable[[], torch.Tensor]) -> float:
    """Of the matrix products in a loss and its gradients; additions, exponentials and look-ups are not counted."""
    with FlopCounterMode(display=False, custom_mapping=_COUNTED) as counter:
        loss().backward()
    return counter.get_total_flops()


def _raw(count: Callable[..., int]) -> Any:
    """Let the counter pass tensors, of which the shape alone does not say what they cost."""
    count._get_raw = True  # type: ignore[attr-defined]
    return count


@_raw
def _mm(left: torch.Tensor, right: torch.Tensor, *_: Any, **__: Any) -> int:
    entries = left._nnz() if left.layout == torch.sparse_csr else left.numel()
    return 2 * entries * right.shape[1]


@_raw
def _addmm_in_place(_: torch.Tensor, left: torch.Tensor, right: torch.Tensor, **__: Any) -> int:
    return 2 * left.numel() * right.shape[1]


# What torch 2.13 counts wrongly: a sparse product as if it were dense (LightGCN), and not at all a product added in
# place (the third of nn.softmax's 3 x 2 x P x I x D) and attention fused for the CPU.
_COUNTED = {
    torch.ops.aten.mm: _mm,
    torch.ops.aten.addmm_: _addmm_in_place,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu: lambda q, k, v, *_, **__: sdpa_flop_count(q, k, v),
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward: (
        lambda grad, q, k, v, *_, **__: sdpa_backward_flop_count(grad, q, k, v)
    ),
}


@contextmanager
def _caught() -> Iterator[list[Any]]:
    """The tasks trained inside the block, which models keep to themselves or let go."""
    tasks: list[Any] = []

    def fit(task: Any, *arguments: Any, **named: Any) -> None:
        tasks.append(task)
        fit_network(task, *arguments, **named)

    with patch.object(networks, "fit_task", fit):
        yield tasks


@contextmanager
def _threads(n: int | None) -> Iterator[None]:
    """So many threads for torch and for NumPy's products; None: as the environment says."""
    if n is not None:
        torch.set_num_threads(n)
    with threadpool_limits(n):
        yield


def _end_with_parent() -> None:
    """See to it that this process does not train on where the one that started it was killed."""

    def watch(parent: Any) -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, args=[multiprocessing.parent_process()], daemon=True).start()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
