"""One run: settings in, results out, everything recorded in MLflow."""

import logging
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from hydra.core.hydra_config import HydraConfig
from hydra.errors import InstantiationException
from hydra.types import RunMode
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from omniretail.bundles import save_bundle
from omniretail.config import flat
from omniretail.core.epoch_hooks import on_epoch
from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.result import Result
from omniretail.sources.protocol import load
from omniretail.splits.cutoff import Stage
from omniretail.tasks import Evaluation
from omniretail.tracking import record_evaluations, tracked

log = logging.getLogger(__name__)

USER_ERRORS = (DataError, PermissionError, InstantiationException, ValueError)
"""What a user can mend: shown as one sentence, without a traceback."""


def run(cfg: DictConfig) -> list[Result]:
    """Load, cut, fit, evaluate and track; one result per stage of ``cfg.evaluate``.

    The config's task says how the model is evaluated. Each stage fits a fresh model on all that lies before its cutoff.
    The run in MLflow begins when the data is there.

    Args:
        cfg: composed from ``configs/train.yaml``.

    Raises:
        DataError: where the data cannot be used as it is.
        PermissionError: where the cache cannot be written.
        ValueError: where settings do not fit each other or the data.
    """
    stages, task, data = stages_of(cfg.evaluate), instantiate(cfg.task), dataset(cfg)
    name = " ".join([cfg.model._target_.rpartition(".")[2], *([cfg.model.name] if "name" in cfg.model else [])])
    with (
        tracked(cfg.tracking.uri, cfg.tracking.experiment, name, flat(cfg)) as tracked_run,
        tempfile.TemporaryDirectory() as temporary,
    ):
        folder = Path(temporary)
        evaluations = []
        for stage in stages:
            with on_epoch(partial(tracked_run.point, stage)):
                evaluation = task.evaluate(instantiate(cfg.model), data, stage)
            result = replace(evaluation.result, run_id=tracked_run.run_id)
            log.info("%s", _sentence(result, cfg.report.primary))
            evaluations.append(replace(evaluation, result=result))
        _save(cfg, evaluations, folder)
        record_evaluations(tracked_run, evaluations, OmegaConf.to_yaml(cfg, resolve=True), data.tables, folder)
        return [replace(each.result, run_id=tracked_run.run_id) for each in evaluations]


def run_job(cfg: DictConfig) -> float:
    """A run as the command line has it: the table, the page and ``run_id=`` are printed, an error is one sentence.

    Returns:
        The primary metric of the last stage.

    Raises:
        SystemExit: where the user can mend what is wrong; in a sweep the error is logged and NaN returned, so that the
            other jobs go on and the sweep's report names those that failed.
    """
    try:
        results = run(cfg)
    except USER_ERRORS as error:
        message = f"error: {' '.join(str(error).split())}"
        if HydraConfig.get().mode == RunMode.MULTIRUN:
            log.error(message)
            return float("nan")
        sys.exit(message)
    print(f"run_id={results[-1].run_id}")
    return results[-1].values().get(cfg.report.primary, float("nan"))


def dataset(cfg: DictConfig) -> Dataset:
    """The data that the settings name, read through the cache.

    Raises:
        DataError: where a raw file is missing, broken or empty.
        PermissionError: where the cache cannot be written.
    """
    cache = Path(cfg.cache_dir)
    attributes: Any = OmegaConf.to_container(cfg.user_attributes, resolve=True)
    return Dataset(load(instantiate(cfg.source), cache), instantiate(cfg.split), cache, attributes)


def stages_of(names: Sequence[str]) -> list[Stage]:
    """The stages to evaluate, checked.

    Raises:
        ValueError: where a name is no stage, so that test is never looked at by a slip.

    >>> stages_of(["val"])
    ['val']
    """
    known = get_args(Stage)
    unknown = [names] if isinstance(names, str) else [name for name in names if name not in known]
    if unknown or not names:
        raise ValueError(f"evaluate={unknown[0] if unknown else '[]'}: choose from evaluate=[val], [test], [val,test]")
    return list(dict.fromkeys(names))  # type: ignore[arg-type]


def _save(cfg: DictConfig, evaluations: Sequence[Evaluation], folder: Path) -> None:
    """The bundle of the model that was fitted for test, and the page of the last stage."""
    last = evaluations[-1]
    if cfg.tracking.keep_model and cfg.outputs.bundle is not None and last.result.stage == "test":
        save_bundle(instantiate(cfg.outputs.bundle), folder / "model", last.bundle)


def _sentence(result: Result, primary: str) -> str:
    cost = ", ".join(f"{name.removesuffix('_s')} {s:.1f} s" for name, s in result.cost.items() if name.endswith("_s"))
    value = result.values().get(primary, float("nan"))
    return f"{result.model} on {result.stage}: {primary} {value:.4f} ({len(result.per_unit):,} judged; {cost})"
