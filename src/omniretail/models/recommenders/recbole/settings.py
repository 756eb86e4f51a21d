"""RecBole's configuration from our few settings."""

import os
from collections.abc import Mapping
from typing import Any

from omniretail.models.recommenders.recbole.library import module, torch
from omniretail.models.recommenders.recbole.tables import ITEM, TIME, USER
from omniretail.models.recommenders.recbole.zoo import ZOO, defaults

_ALL_EVENTS = {"split": {"RS": [1.0]}, "group_by": "none", "order": "TO", "mode": "full"}
_LAST_EVENT_HELD = {"split": {"LS": "valid_only"}, "group_by": "user", "order": "TO", "mode": "full"}


def config_of(
    name: str, params: Mapping[str, Any], *, epochs: int, patience: int, seed: int, device: str, **more: Any
) -> Any:
    """A RecBole ``Config``, made without reading the command line or any file of the user's.

    Args:
        name: of the model.
        params: what the user set, by RecBole's names.
        epochs: upper bound.
        patience: evaluations of the inner validation without improvement before training stops; 0: no inner validation.
        seed: of everything random.
        device: ``cpu`` or ``cuda``.
        more: settings of one stage of training, or implied by the data.
    """
    chosen = {
        "USER_ID_FIELD": USER,
        "ITEM_ID_FIELD": ITEM,
        "TIME_FIELD": TIME,
        "load_col": None,
        "eval_args": _LAST_EVENT_HELD if patience else _ALL_EVENTS,
        "metrics": ["NDCG"],
        "valid_metric": "NDCG@10",
        "topk": [10],
        "repeatable": ZOO[name] == "sequential",
        "epochs": epochs,
        "pretrain_epochs": epochs,
        "save_step": epochs + 1,
        "stopping_step": patience,
        "seed": seed,
        "gpu_id": "",  # otherwise RecBole chooses the device, and hides the others from torch
        "checkpoint_dir": os.devnull,  # RecBole loads pickles from there, so it must be empty
        "show_progress": False,
        **_negative_samples(name, params),
        **params,
        **more,
    }
    config = module("config").Config(model=_model_class(name), dataset="memory", config_dict=chosen)
    config["data_path"] = os.curdir  # must exist; nothing is read there
    config["device"] = torch().device(device)
    config["use_gpu"] = device != "cpu"
    return config


def _negative_samples(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """A full softmax has no negative samples, and RecBole refuses a setting of them."""
    loss = params.get("loss_type", defaults(name).get("loss_type"))
    return {"train_neg_sample_args": None} if ZOO[name] == "sequential" and loss == "CE" else {}


def _model_class(name: str) -> type:
    folders = {
        "general": "general_recommender",
        "sequential": "sequential_recommender",
        "knowledge": "knowledge_aware_recommender",
        "context": "context_aware_recommender",
    }
    return getattr(module(f"model.{folders[ZOO[name]]}.{name.lower()}"), name)
