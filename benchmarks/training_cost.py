"""What it costs to train one of our neural models."""

import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

import numpy as np
import psutil
import torch
from threadpoolctl import threadpool_limits

from benchmarks.arguments import seconds
from benchmarks.flops import flops, matmul_rate
from omniretail.core.epoch_hooks import on_epoch
from omniretail.core.resources import metered
from omniretail.models.recommenders.gru4rec import GRU4Rec
from omniretail.models.recommenders.lightgcn import LightGCN
from omniretail.models.recommenders.mult_vae import MultVAE
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.models.training import Training
from omniretail.models.training.fit import fit_network
from omniretail.models.training.inner_validation import hold_out
from omniretail.views.train import Train

SEED = 1
MODELS: Mapping[str, Callable[[int, Training], Any]] = {  # the classes' defaults, whatever is tuned for the source
    "sasrec_softmax": lambda dim, training: SASRec(dim=dim, loss="softmax", seed=SEED, training=training),
    "sasrec_sampled": lambda dim, training: SASRec(dim=dim, n_negatives=1024, seed=SEED, training=training),
    "gru4rec": lambda dim, training: GRU4Rec(dim=dim, seed=SEED, training=training),
    "lightgcn": lambda dim, training: LightGCN(dim=dim, seed=SEED, training=training),
    "mult_vae": lambda dim, training: MultVAE(seed=SEED, training=training),  # its widths are its own
    "two_tower": lambda dim, training: TwoTower(dim=dim, seed=SEED, training=training),
}


@dataclass(frozen=True)
class TrainingCost:
    """A row.

    Attributes:
        name: of the variant, and what is particular about its figures.
        epoch_s: the fastest measured epoch.
        flops: of an epoch.
        rate: operations per second of a large matrix product, measured right before.
        peak_mb: peak resident memory, MiB.
        before_mb: the part of it from before training: the interpreter, torch and the data.
        validation_s: to validate on all users once; None: not measured.
    """

    name: str
    epoch_s: float
    flops: float
    rate: float
    peak_mb: float
    before_mb: float
    validation_s: float | None


def our_cost(name: str, train: Train, chosen: Namespace) -> TrainingCost:
    """Train one of our models as a user would, and validate it once on all users."""
    with threads(chosen.threads):
        before, rate = psutil.Process().memory_info().rss / 2**20, matmul_rate()
        model = MODELS[name](chosen.dim, Training(max_epochs=1 + chosen.epochs))
        ends: list[float] = []  # of epochs; that of the first, which warms up, begins the second
        with metered() as cost, on_epoch(lambda *_: ends.append(time.perf_counter())), _tasks() as tasks:
            model.fit(train)
        (task,) = tasks
        _, inner = hold_out(train.histories, len(train.histories), SEED)
        validation_s = min(seconds(partial(inner.evaluate_users, task.eval())) for _ in range(chosen.epochs))
        task.train()
        plan = task.batches(np.random.default_rng(SEED), 1)
        total = sum(flops(partial(task.loss, batch)) for batch in plan)
        return TrainingCost(name, float(np.diff(ends).min()), total, rate, cost.peak_memory_mb, before, validation_s)


@contextmanager
def threads(n: int | None) -> Iterator[None]:
    """So many threads for torch and for NumPy's products; None: as the environment says."""
    if n is not None:
        torch.set_num_threads(n)
    with threadpool_limits(n):
        yield


@contextmanager
def _tasks() -> Iterator[list[Any]]:
    """The tasks that are trained inside the block, which models do not hand out."""
    tasks: list[Any] = []

    def fit(task: Any, *arguments: Any, **named: Any) -> None:
        tasks.append(task)
        fit_network(task, *arguments, **named)

    with patch("omniretail.models.training.fit.fit_network", fit):
        yield tasks
