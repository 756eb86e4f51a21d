"""One run: config in, results out, everything kept in MLflow."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from matplotlib.figure import Figure
from omegaconf import DictConfig, OmegaConf

from omniretail.curves import listening
from omniretail.evaluation import Examination
from omniretail.overrides import opened
from omniretail.report import accuracy_by_activity
from omniretail.result import Result
from omniretail.schema import DataError, Tables
from omniretail.sources.protocol import load
from omniretail.splits.cutoff import Split
from omniretail.tracking import TrackedRun, record_results, tracked
from omniretail.views.stored import load_fold

log = logging.getLogger(__name__)

_CONFIGS = Path(__file__).parents[2] / "configs"

USER_ERRORS = (DataError, PermissionError, InstantiationException, ValueError)
"""What a user can mend: shown as one sentence, without a traceback."""


def compose(*overrides: str) -> DictConfig:
    """The settings of a run, for notebooks and programs; the command line has its own way to the same ones.

    >>> compose("source=gowalla", "model=recommender/popular").dataset
    'gowalla'
    """
    with hydra.initialize_config_dir(str(_CONFIGS), version_base="1.3"):
        return hydra.compose("train", overrides=opened(overrides))


def run(cfg: DictConfig) -> list[Result]:
    """Load, cut, fit, judge and track; one result per stage of ``cfg.evaluate``.

    Each stage fits a fresh model on all that lies before its cutoff, so test is judged with validation known.

    Args:
        cfg: composed from ``configs/train.yaml``.

    Raises:
        DataError: where the data cannot be used as it is.
        PermissionError: where the cache cannot be written.
        ValueError: where settings do not fit each other or the data.
    """
    name = " ".join([cfg.model._target_.rpartition(".")[2], *([cfg.model.name] if "name" in cfg.model else [])])
    with tracked(cfg.tracking.uri, cfg.tracking.experiment, name, _flat(cfg)) as kept:
        tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
        split = instantiate(cfg.split)
        results = [replace(result, run_id=kept.run_id) for result in _stages(cfg, tables, split, kept)]
        record_results(
            kept, results, OmegaConf.to_yaml(cfg, resolve=True), tables, _plots(results, cfg.metrics.primary)
        )
        return [replace(result, run_id=kept.run_id) for result in results]


def _stages(cfg: DictConfig, tables: Tables, split: Split, kept: TrackedRun) -> Iterator[Result]:
    examination = Examination(
        metrics=instantiate(cfg.metrics),
        policy=instantiate(cfg.policy),
        memory_mb=cfg.memory_mb,
        settings={
            "source": tables.card.title,
            "data": tables.version,
            "split": repr(split),
            "policy": cfg.policy._target_.rpartition(".")[2],
            "seed": str(cfg.seed),
            "parameters": _parameters(cfg.model),
        },
    )
    for stage in cfg.evaluate:
        fold = load_fold(tables, split, stage, Path(cfg.cache_dir))
        with listening(partial(kept.point, stage)):
            result = examination.take(instantiate(cfg.model), fold, stage)
        log.info("%s", _sentence(result, cfg.metrics.primary))
        yield result


def _plots(results: list[Result], primary: str) -> dict[str, Figure]:
    return {f"{result.stage}_by_activity": accuracy_by_activity(result, primary) for result in results}


def _parameters(model: DictConfig) -> str:
    """The hyper-parameters in a line, by which runs of one model are told apart."""
    names = sorted(str(name) for name in model if not str(name).startswith("_") and name not in ("seed", "training"))
    length = [f"epochs={model.training.epochs}"] if "training" in model else []
    return " ".join([f"{name}={model[name]}".replace(" ", "") for name in names] + length)


def _sentence(result: Result, primary: str) -> str:
    figure = result.per_user[primary].mean()
    return (
        f"{result.model} on {result.stage}: {primary} {figure:.4f} "
        f"({len(result.per_user):,} users; fit {result.fit_s:.1f} s, score {result.score_s:.1f} s)"
    )


def _flat(cfg: DictConfig) -> dict[str, str]:
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
