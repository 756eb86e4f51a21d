"""RecBole's trainers, with the best weights in memory instead of in a file."""

import io
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from omniretail.models.recommenders.recbole.library import module, torch
from omniretail.models.recommenders.recbole.tables import RecBoleTables, dataset
from omniretail.models.recommenders.recbole.zoo import PRETRAINED, ZOO

Settings = Callable[..., Any]
"""Returns a ``Config``; takes the settings of one stage."""


def trained(name: str, tables: RecBoleTables, settings: Settings, seed: int) -> tuple[Any, Any]:
    """A model after all stages of its training, and its dataset.

    The order of steps, and so of random draws, is that of RecBole's quick start.

    Args:
        name: of the model.
        tables: from which it learns.
        settings: makes the configuration of a stage.
        seed: set before the data and again before the model.
    """
    model = data = None
    for stage in PRETRAINED.get(name, (None,)):
        config = settings(**_stage(stage, model))
        model, data, train, valid = _prepared(config, tables, seed)
        _fit(config, model, train, valid)
    assert model is not None
    return model.eval(), data


def untrained(name: str, tables: RecBoleTables, settings: Settings, seed: int) -> tuple[Any, Any]:
    """The model before its first training step, into which weights are loaded, and its dataset."""
    first = PRETRAINED.get(name, (None,))[0]
    model, data, _, _ = _prepared(settings(**_stage(first, None)), tables, seed)
    return model.eval(), data


def _prepared(config: Any, tables: RecBoleTables, seed: int) -> tuple[Any, Any, Any, Any]:
    """A new model, its dataset, and the loaders of training and inner validation."""
    module("utils").init_seed(seed, True)
    data = dataset(tables, config)
    train, valid = _loaders(config, data)
    module("utils").init_seed(seed, True)
    model = config.model_class(config, train._dataset).to(config["device"])
    return model, data, train, valid


def _stage(stage: str | None, before: Any) -> dict[str, Any]:
    """Settings of a stage; the weights of the stage before are passed as an in-memory file."""
    if stage is None:
        return {}
    if before is None:
        return {"train_stage": stage}
    weights = io.BytesIO()
    torch().save({"state_dict": before.state_dict()}, weights)
    weights.seek(0)
    return {"train_stage": stage, "pre_model_path": weights}


def _loaders(config: Any, data: Any) -> tuple[Any, Any]:
    """RecBole's loaders of training and of inner validation, None without one."""
    if config["stopping_step"]:
        train, valid, _ = module("data").data_preparation(config, data)
        return train, valid
    (events,) = data.build()
    loader = module("data.utils").get_dataloader(config, "train")
    return loader(config, events, *_samplers(config, data, events), shuffle=True), None


def _samplers(config: Any, data: Any, events: Any) -> list[Any]:
    """Samplers of negatives: of items, and for a knowledge graph of entities too."""
    kinds, how = module("sampler"), config["train_neg_sample_args"]
    drawing = how["distribution"], how["alpha"]
    items = None
    if drawing[0] != "none" and config["repeatable"]:
        items = kinds.RepeatableSampler(["train"], data, *drawing).set_phase("train")
    elif drawing[0] != "none":
        items = kinds.Sampler(["train"], [events], *drawing).set_phase("train")
    entities = [kinds.KGSampler(data, *drawing)] if ZOO[config["model"]] == "knowledge" else []
    return [items, *entities]


def _fit(config: Any, model: Any, train: Any, valid: Any) -> None:
    """Train the model in place; with an inner validation its best weights are restored."""
    kind = module("utils").get_trainer(config["MODEL_TYPE"], config["model"])
    trainer = _in_memory(kind)(config, model)
    trainer.fit(train, valid, verbose=False, saved=valid is not None)
    if trainer.best is not None:
        model.load_state_dict(trainer.best["weights"])
        model.load_other_parameter(trainer.best["others"])


@cache
def _in_memory(kind: type) -> Any:
    """The trainer with its checkpoints in memory."""
    return type(f"InMemory{kind.__name__}", (_InMemoryCheckpoints, kind), {})


class _InMemoryCheckpoints:
    """A mixin before one of RecBole's trainers, whose writers of files it replaces."""

    model: Any
    best: Mapping[str, Any] | None = None

    def _save_checkpoint(self, epoch: int, **options: object) -> None:
        weights = {key: value.detach().clone() for key, value in self.model.state_dict().items()}
        self.best = {"weights": weights, "others": self.model.other_parameter()}

    def save_pretrained_model(self, epoch: int, saved_model_file: str) -> None:
        return None
