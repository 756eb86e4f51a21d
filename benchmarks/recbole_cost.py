"""Measure side by side what training costs: RecBole's own pipeline from a file, and the same models through ours."""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

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


def main() -> None:
    """Print the seconds of CPU of both, the better of the repetitions, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=3, help="the least of so many counts")
    parser.add_argument("--users", type=int, default=500)
    parser.add_argument("--items", type=int, default=1000)
    arguments = parser.parse_args()
    train = drawn(arguments.users, arguments.items)
    print("| model | RecBole's own, s | through ours, s | ratio |\n|---|--:|--:|--:|")
    for name, params in MODELS.items():
        ours, theirs = np.inf, np.inf
        recbole = partial(recboles_own, name, params, train, arguments.epochs)
        adapter = partial(RecBole, name, params, arguments.epochs, patience=9, seed=SEED)
        for _ in range(arguments.repeat):  # in turns, so that a busy machine is busy for both
            theirs = min(theirs, _seconds(recbole))
            ours = min(ours, _seconds(partial(adapter().fit, train)))
        print(f"| {name} | {theirs:.1f} | {ours:.1f} | {ours / theirs:.2f} |", flush=True)


def drawn(n_users: int, n_items: int) -> Train:
    """Users of 5 to 60 events each, popular items more often."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(5, 61, n_users)
    item_idx = (rng.beta(0.6, 2.0, lengths.sum()) * n_items).astype(np.int32)
    item_idx[:n_items] = np.arange(n_items)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    place = np.arange(len(item_idx)) - np.repeat(offsets[:-1], lengths)
    histories = Histories(np.arange(n_users), offsets, item_idx, place, place, n_items)
    items = Vocabulary.of(range(n_items))
    return Train(histories, Vocabulary.of(range(n_users)), items, items.ids.to_frame(name="item_id"), at=61)


def recboles_own(name: str, params: dict[str, Any], train: Train, epochs: int) -> None:
    """The steps of RecBole's quick start, up to the trained model: file, dataset, loaders, trainer, checkpoints."""
    with tempfile.TemporaryDirectory() as folder, contained(SEED):
        _write(train, Path(folder))
        wanted = {
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
        config = module("config").Config(model=name, dataset="drawn", config_dict=wanted)
        utils.init_seed(SEED, True)
        data = module("data").create_dataset(config)
        train_data, valid_data, _ = module("data").data_preparation(config, data)
        utils.init_seed(SEED, True)
        model = utils.get_model(name)(config, train_data._dataset)
        trainer = utils.get_trainer(config["MODEL_TYPE"], name)(config, model)
        trainer.fit(train_data, valid_data, verbose=False, show_progress=False)


def _write(train: Train, folder: Path) -> None:
    tables = tables_of(train.histories.offsets, train.histories.item_idx, *attribute_values(train.item_table, ()), False)
    typed = tables.events.set_axis(["user_id:token", "item_id:token", "timestamp:float"], axis="columns")
    (folder / "drawn").mkdir()
    typed.to_csv(folder / "drawn" / "drawn.inter", sep="\t", index=False)


def _seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
