"""RecBole's own pipeline beside ours: seconds of CPU for the same training."""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arguments import names, parser
from omniretail.ids import Vocabulary
from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import module
from omniretail.models.recommenders.recbole.tables import attribute_values, tables_of
from omniretail.views.histories import Histories
from omniretail.views.train import Train

SEED = 1
MODELS = {
    "BPR": {},
    "LightGCN": {},
    "MultiVAE": {},
    "GRU4Rec": {"MAX_ITEM_LIST_LENGTH": 10, "train_neg_sample_args": None},
    "SASRec": {"MAX_ITEM_LIST_LENGTH": 10, "train_neg_sample_args": None},
}


def main(arguments: list[str]) -> None:
    """Train each model both ways alternately, and print the fewest seconds of each."""
    options = parser("recbole_cost", __doc__)
    options.add_argument("--models", type=names, default=",".join(MODELS), help="to train")
    options.add_argument("--epochs", type=int, default=3)
    options.add_argument("--repeat", type=int, default=3, help="the fewest seconds of so many trainings count")
    options.add_argument("--users", type=int, default=500)
    options.add_argument("--items", type=int, default=1000)
    chosen = options.parse_args(arguments)
    train = random_train(chosen.users, chosen.items)
    print("| model | RecBole's own, s | through ours, s | ratio |\n|---|--:|--:|--:|")
    for name in chosen.models:
        params = MODELS[name]
        ways = {
            "theirs": partial(recbole_pipeline, name, params, train, chosen.epochs),
            "ours": lambda: RecBole(name, params, chosen.epochs, patience=9, seed=SEED).fit(train),  # noqa: B023
        }
        spent = [[_cpu_seconds(way) for way in ways.values()] for _ in range(chosen.repeat)]
        theirs, ours = np.min(spent, axis=0)
        print(f"| {name} | {theirs:.1f} | {ours:.1f} | {ours / theirs:.2f} |", flush=True)


def random_train(n_users: int, n_items: int) -> Train:
    """Users with 5 to 60 events each, popular items more often."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 61, n_users)
    item_idx = (rng.beta(0.6, 2.0, lengths.sum()) * n_items).astype(np.int32)
    item_idx[:n_items] = np.arange(n_items)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    place = np.arange(len(item_idx)) - np.repeat(offsets[:-1], lengths)
    histories = Histories(np.arange(n_users), offsets, item_idx, place, place, n_items)
    items = Vocabulary.of(range(n_items))
    return Train(histories, Vocabulary.of(range(n_users)), items, items.ids.to_frame(name="item_id"), at=61)


def recbole_pipeline(name: str, params: dict[str, Any], train: Train, epochs: int) -> None:
    """The steps of RecBole's quick start, up to the trained model: file, dataset, loaders, trainer, checkpoints."""
    with tempfile.TemporaryDirectory() as folder, contained(SEED):
        _write(train, Path(folder))
        settings = {
            "data_path": folder,
            "checkpoint_dir": folder,
            "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
            "eval_args": {"split": {"LS": "valid_only"}, "order": "TO", "group_by": "user", "mode": "full"},
            "repeatable": "MAX_ITEM_LIST_LENGTH" in params,
            "metrics": ["NDCG"],
            "valid_metric": "NDCG@10",
            "epochs": epochs,
            "seed": SEED,
            "gpu_id": "",
            "show_progress": False,
            **params,
        }
        utils = module("utils")
        config = module("config").Config(model=name, dataset="random", config_dict=settings)
        utils.init_seed(SEED, True)
        data = module("data").create_dataset(config)
        train_data, valid_data, _ = module("data").data_preparation(config, data)
        utils.init_seed(SEED, True)
        model = utils.get_model(name)(config, train_data._dataset)
        trainer = utils.get_trainer(config["MODEL_TYPE"], name)(config, model)
        trainer.fit(train_data, valid_data, verbose=False, show_progress=False)


def _write(train: Train, folder: Path) -> None:
    values = attribute_values(train.item_table, ())
    tables = tables_of(train.histories.offsets, train.histories.item_idx, *values, False)
    typed = tables.events.set_axis(["user_id:token", "item_id:token", "timestamp:float"], axis="columns")
    (folder / "random").mkdir()
    typed.to_csv(folder / "random" / "random.inter", sep="\t", index=False)


def _cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
