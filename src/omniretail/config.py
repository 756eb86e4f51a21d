"""Settings: composed from ``configs/``, flattened for MLflow, named in a line."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

CONFIGS = Path(__file__).parents[2] / "configs"


def compose(*overrides: str) -> DictConfig:
    """The settings of a run, for notebooks and programs; the command line has its own way to the same ones.

    >>> compose("source=gowalla", "model=recommender/popular").dataset
    'gowalla'
    """
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        return hydra.compose("train", overrides=opened(overrides))


def opened(overrides: Iterable[str]) -> list[str]:
    """Let ``model.params.x=1`` set what no yaml lists; Hydra itself asks for pluses in front.

    Which names are right is known to the model, which refuses the others.

    >>> opened(["model.params.n_layers=2", "model.name=LightGCN"])
    ['++model.params.n_layers=2', 'model.name=LightGCN']
    """
    return [f"++{each}" if each.startswith("model.params.") else each for each in overrides]


def parameters(model: DictConfig) -> str:
    """The hyper-parameters in a line, by which runs of one model are told apart."""
    names = sorted(str(name) for name in model if not str(name).startswith("_") and name not in ("seed", "training"))
    length = [f"epochs={model.training.epochs}"] if "training" in model else []
    return " ".join([f"{name}={model[name]}".replace(" ", "") for name in names] + length)


def flat(cfg: DictConfig) -> dict[str, str]:
    """Every setting under its dotted name, as one would write it on the command line."""

    def walk(node: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, dict):
            for key, value in node.items():
                yield from walk(value, f"{path}.{key}" if path else str(key))
        else:
            yield path, str(node)

    chosen = OmegaConf.to_container(cfg, resolve=True)
    assert isinstance(chosen, dict)
    return dict(walk({k: v for k, v in chosen.items() if k not in ("metrics", "report", "tracking")}, ""))
