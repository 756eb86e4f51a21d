"""What it costs RecBole to train its SASRec in its own loop."""

from argparse import Namespace
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import psutil

from benchmarks.arguments import seconds
from benchmarks.flops import flops, matmul_rate
from benchmarks.training_cost import SEED, TrainingCost, threads
from omniretail.core.resources import metered
from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import module
from omniretail.models.recommenders.recbole.settings import config_of
from omniretail.models.recommenders.recbole.tables import attribute_values, tables_of
from omniretail.models.recommenders.recbole.training import _prepared  # the loader is available nowhere else
from omniretail.views.train import Train

RECBOLE = "RecBole SASRec, softmax"


def recbole_training_cost(train: Train, chosen: Namespace) -> TrainingCost:
    """Train in RecBole's loop: a sample per prefix, padded to ``MAX_ITEM_LIST_LENGTH``."""
    params = {
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "MAX_ITEM_LIST_LENGTH": 50,
        "hidden_size": chosen.dim,
        "train_batch_size": 2048,
    }
    with threads(chosen.threads), contained(SEED):
        before, rate = psutil.Process().memory_info().rss / 2**20, matmul_rate()
        with metered() as cost:
            config = config_of("SASRec", params, epochs=1, patience=0, seed=SEED, device="cpu")
            values = attribute_values(train.item_table, ())
            tables = tables_of(train.histories.offsets, train.histories.item_idx, *values, False)
            model, _, loader, _ = _prepared(config, tables, SEED)
            trainer = module("utils").get_trainer(config["MODEL_TYPE"], "SASRec")(config, model)
            n = min(chosen.peer_batches or len(loader), len(loader))
            trainer._train_epoch(_First(loader, max(1, n // 10)), 0, show_progress=False)
            epoch = partial(trainer._train_epoch, _First(loader, n), 1, show_progress=False)
            part_s = min(seconds(epoch) for _ in range(chosen.epochs))
        total = flops(partial(model.calculate_loss, next(iter(loader)))) * len(loader)  # its batches are all alike
        scaled = f" (scaled up from {n} of {len(loader)} batches)" if n < len(loader) else ""
        epoch_s = part_s * len(loader) / n
        return TrainingCost(RECBOLE + scaled, epoch_s, total, rate, cost.peak_memory_mb, before, None)


class _First:
    """The first batches of a loader, which RecBole reads like the loader itself."""

    def __init__(self, loader: Any, n: int) -> None:
        self.loader, self.n = loader, n

    def __iter__(self) -> Iterator[Any]:
        return islice(iter(self.loader), self.n)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)
