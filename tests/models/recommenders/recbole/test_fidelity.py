"""Our scores are RecBole's own: its pipeline from a file to ``full_sort_predict``, beside ours, value by value."""

from pathlib import Path

import numpy as np
import pytest

from omniretail.models.recommenders.recbole import RecBole
from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import module, torch
from omniretail.views.train import Train
from tests.models.recommenders.recbole.conftest import needs_recbole, without_last

pytestmark = needs_recbole

SEED = 7
MODELS = {
    "EASE": {"reg_weight": 20.0},
    "ItemKNN": {"k": 10},
    "Pop": {},
    "BPR": {"embedding_size": 16, "learning_rate": 0.01},
    "LightGCN": {"embedding_size": 16, "n_layers": 2, "learning_rate": 0.01},
    "MultiVAE": {"mlp_hidden_size": [16], "latent_dimension": 8, "learning_rate": 0.01},
    "SASRec": {"hidden_size": 16, "inner_size": 16, "n_layers": 1, "MAX_ITEM_LIST_LENGTH": 8},
    "GRU4Rec": {"embedding_size": 16, "hidden_size": 16, "MAX_ITEM_LIST_LENGTH": 8},
    "FPMC": {"embedding_size": 16, "MAX_ITEM_LIST_LENGTH": 8},
}


@pytest.mark.parametrize("name", MODELS)
def test_scores_equal_those_of_recboles_own_pipeline_to_the_bit(name: str, train: Train, tmp_path: Path) -> None:
    params = {**MODELS[name], "train_batch_size": 128}
    ours = RecBole(name, params, epochs=3, patience=2, seed=SEED).fit(train)
    expected = recboles_own(name, params, train, tmp_path)
    np.testing.assert_array_equal(ours.score(without_last(train.histories)), expected)


def recboles_own(name: str, params: dict, train: Train, folder: Path) -> np.ndarray:
    """RecBole as its handbook says: a file, a configuration, its quick start's steps, the best checkpoint."""
    write_interactions(train, folder)
    wanted = {
        "data_path": str(folder),
        "checkpoint_dir": str(folder),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "eval_args": {"split": {"LS": "valid_only"}, "order": "TO", "group_by": "user", "mode": "full"},
        "metrics": ["NDCG"],
        "valid_metric": "NDCG@10",
        "epochs": 3,
        "stopping_step": 2,
        "seed": SEED,
        "gpu_id": "",
        "show_progress": False,
        **params,
    }
    if name in ("SASRec", "GRU4Rec", "FPMC"):
        wanted["repeatable"] = True
    if name in ("SASRec", "GRU4Rec"):
        wanted["train_neg_sample_args"] = None
    with contained(SEED):
        utils = module("utils")
        config = module("config").Config(model=name, dataset="shop", config_dict=wanted)
        utils.init_seed(config["seed"], config["reproducibility"])
        data = module("data").create_dataset(config)
        train_data, valid_data, _ = module("data").data_preparation(config, data)
        utils.init_seed(config["seed"], config["reproducibility"])
        model = utils.get_model(name)(config, train_data._dataset)
        trainer = utils.get_trainer(config["MODEL_TYPE"], name)(config, model)
        trainer.fit(train_data, valid_data, verbose=False, show_progress=False)
        best = torch().load(trainer.saved_model_file, weights_only=False)  # written a moment ago by the line above
        model.load_state_dict(best["state_dict"])
        model.load_other_parameter(best["other_parameter"])
        model.eval()
        batches = [(batch[0], model.full_sort_predict(batch[0])) for batch in valid_data]
    users = np.concatenate([data.id2token("user_id", query["user_id"]).astype(int) for query, _ in batches])
    scores = np.concatenate([values.detach().numpy().reshape(len(query), -1) for query, values in batches])
    items = data.token2id("item_id", [str(n) for n in range(len(train.items))])
    return scores[np.argsort(users)][:, items].astype(np.float32)


def write_interactions(train: Train, folder: Path) -> None:
    histories = train.histories
    place = np.arange(len(histories.item_idx)) - histories.offsets[histories.rows]
    lines = [f"{user}\t{item}\t{at}" for user, item, at in zip(histories.rows, histories.item_idx, place, strict=True)]
    (folder / "shop").mkdir()
    (folder / "shop" / "shop.inter").write_text(
        "\n".join(["user_id:token\titem_id:token\ttimestamp:float", *lines]) + "\n"
    )
