"""One run: settings in, results out, everything recorded in MLflow."""

import logging
import re
import secrets
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from omniretail.bundles import save_bundle, unsavable
from omniretail.config import command, flat, make
from omniretail.config_errors import sentence
from omniretail.core.epoch_hooks import on_epoch
from omniretail.core.errors import SettingsError
from omniretail.dataset import Dataset, checked_attributes
from omniretail.metrics.evaluate_lists import Metrics
from omniretail.report.compare import Comparison, Report
from omniretail.report.pages.files import beside
from omniretail.report.pages.index import add_to_index, entry_of
from omniretail.report.run_description import run_description
from omniretail.result import Result
from omniretail.sources.protocol import load
from omniretail.splits.cutoff import Stage
from omniretail.tasks import Evaluation, model_name
from omniretail.tracking import (
    ModelFiles,
    TrackedRun,
    check_store,
    record_evaluations,
    system_metrics,
    tracked,
    ui_command,
)
from omniretail.tracking.job_failures import write_failure

log = logging.getLogger(__name__)

_DISTINGUISHING = ("model.", "seed=", "trainer.")
"""Beginnings of the settings that the name of a run shows."""


@dataclass(frozen=True)
class Run:
    """What a run leaves.

    Attributes:
        results: one per stage.
        comparison: the last stage's result as a table.
        page: what people look at; a copy is in the run's artifacts.
        text: what the command line prints in place of the table; empty: the table.
        address: of the run in MLflow, or the command that opens it.
    """

    results: list[Result]
    comparison: Comparison
    page: Path
    text: str = ""
    address: str = ""


def run(cfg: DictConfig) -> list[Result]:
    """Load, cut, fit, evaluate and track; one result per stage of ``cfg.evaluate``; see ``run_with_page``."""
    return run_with_page(cfg).results


def run_with_page(cfg: DictConfig) -> Run:
    """Load, cut, fit, evaluate, track and write the page.

    The config's task says how the model is evaluated. Each stage fits a fresh model on all that lies before its cutoff.
    The run in MLflow begins when the data is there.

    Args:
        cfg: composed from ``configs/train.yaml``.

    Raises:
        DataError: where the data cannot be used as it is.
        PermissionError: where the cache cannot be written.
        SettingsError: where settings do not fit each other or the data.
    """
    stages, task, report = checked(cfg)
    data = dataset(cfg)
    with (
        tracked(cfg.tracking.uri, cfg.tracking.experiment, _unique(_run_name(cfg)), run_params(cfg)) as tracked_run,
        system_metrics(tracked_run, cfg.tracking.system_metrics),
        tempfile.TemporaryDirectory() as temporary,
    ):
        folder, evaluations = Path(temporary) / "files", []
        saves = _saves_model(cfg, stages, tracked_run)
        for stage in stages:
            evaluation = _evaluate(cfg, task, data, stage, tracked_run)
            log.info("%s", _sentence(evaluation.result, report.primary))
            evaluations.append(evaluation)
        last = evaluations[-1]
        comparison = report.compare([last.result], data.tables.card, data.tables.drops)
        page = _write_page(cfg, last, comparison)
        (folder / "report").mkdir(parents=True)
        for file in [page, *beside(page)]:
            (folder / "report" / file.name).write_bytes(file.read_bytes())
        model = _saved_model(cfg, last, Path(temporary) / "model", tracked_run) if saves else None
        config = OmegaConf.to_yaml(cfg, resolve=True)
        record_evaluations(tracked_run, evaluations, config, data.tables, folder, model)
        tracked_run.describe(run_description(comparison, page.name, cfg.task_name))
        results = [replace(each.result, run_id=tracked_run.run_id) for each in evaluations]
        text = make(cfg.outputs.text)(last, data.tables.card) if cfg.outputs.text else ""
        return Run(results, comparison, page, text, ui_command(tracked_run))


def checked(cfg: DictConfig) -> tuple[list[Stage], Any, Report]:
    """The stages, the task and the report; all that can be refused before the data is read is refused here.

    Raises:
        SettingsError: where a setting is out of range, names what there is not, or a package is missing.
    """
    stages, task, report = stages_of(cfg.evaluate), make(cfg.task), _report(cfg)
    check_store(cfg.tracking.uri, cfg.tracking.experiment)
    for section in (cfg.model, cfg.split, cfg.source):
        make(section)
    metrics = getattr(task, "metrics", None)
    if isinstance(metrics, Metrics):
        metrics.require([report.primary, *report.metrics])
    folder = Path(report.html).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"report.html={report.html}: {folder} cannot be made ({error.strerror})") from None
    return stages, task, report


def run_job(cfg: DictConfig) -> float:
    """A run as the command line has it: the table, the page and ``run_id=`` are printed, an error is one sentence.

    Returns:
        The primary metric of the last stage; NaN for a job of a sweep that failed, so that the other jobs go on and
        the sweep's report names it.

    Raises:
        SystemExit: where the user can mend what is wrong.
    """
    alone = HydraConfig.get().mode != RunMode.MULTIRUN
    try:
        done = run_with_page(cfg)
    except Exception as error:
        text = sentence(error)
        if alone and not text:
            raise
        if alone:
            sys.exit(f"error: {text}")
        log.error("error: %s", text or traceback.format_exc())
        write_failure(_class(cfg), text or f"{type(error).__name__}: {error}")
        return float("nan")
    if alone:
        _show(done)
    print(f"run_id={done.results[-1].run_id}", flush=True)
    return done.results[-1].values().get(cfg.report.primary, float("nan"))


def _show(done: Run) -> None:
    """Print the text or the table, and how to open the page."""
    if done.text:
        print(f"\n{done.text}")
    else:
        done.comparison.show(Console(width=None if sys.stdout.isatty() else 110, highlight=False))
    print(f"\nPage: {command('python')} -m webbrowser {done.page}")
    print(f"MLflow: {done.address}")


def dataset(cfg: DictConfig) -> Dataset:
    """The data that the settings name, read through the cache.

    Raises:
        DataError: where a raw file is missing, broken or empty.
        PermissionError: where the cache cannot be written.
    """
    cache = Path(cfg.cache_dir)
    named = cfg.user_attributes
    attributes: Any = None if named is None else OmegaConf.to_container(named, resolve=True)
    tables = load(make(cfg.source), cache)
    return Dataset(tables, make(cfg.split), cache, checked_attributes(tables, attributes))


def stages_of(names: Sequence[str]) -> list[Stage]:
    """The stages to evaluate, checked.

    Raises:
        SettingsError: where a name is no stage, so that test is never looked at by a slip.

    >>> stages_of(["val"])
    ['val']
    """
    known = get_args(Stage)
    unknown = [names] if isinstance(names, str) else [name for name in names if name not in known]
    if unknown or not names:
        raise SettingsError(f"evaluate={unknown[0] if unknown else '[]'}: choose evaluate=[val], [test] or [val,test]")
    return [stage for stage in known if stage in names]


def _report(cfg: DictConfig) -> Report:
    settings: Any = OmegaConf.to_container(cfg.report, resolve=True)
    return Report(**settings)


def run_params(cfg: DictConfig) -> dict[str, str]:
    """What MLflow lists of a run: its model with hyper-parameters, task, data, split and seed; all is in config.yaml.

    >>> from omniretail.config import compose
    >>> run_params(compose("model=recommender/popular", "source=gowalla"))["count"]
    'users'
    """
    chosen = {"model": _class(cfg), "task": cfg.task_name, "dataset": cfg.dataset}
    settings = {name: value for name, value in flat(cfg).items() if not name.endswith("_") and value != "None"}
    own = {name.removeprefix("model."): value for name, value in settings.items() if name.startswith("model.")}
    return chosen | own | {name: value for name, value in settings.items() if name.startswith(("split.", "seed"))}


def _class(cfg: DictConfig) -> str:
    return cfg.model._target_.rpartition(".")[2]


def _run_name(cfg: DictConfig) -> str:
    """The model's name as on the pages, and what a sweep or the command line sets of it."""
    swept = HydraConfig.get().overrides.task if HydraConfig.initialized() else []
    own = [each.removeprefix("model.") for each in swept if each.lstrip("+").startswith(_DISTINGUISHING)]
    return " ".join([model_name(make(cfg.model)), *own])[:200]


def _unique(name: str) -> str:
    """A name that no other run of the same settings has."""
    return f"{name} · {secrets.token_hex(2)}"


def _evaluate(cfg: DictConfig, task: Any, data: Dataset, stage: Stage, tracked_run: TrackedRun) -> Evaluation:
    with on_epoch(partial(tracked_run.point, stage)):
        evaluation = task.evaluate(make(cfg.model), data, stage)
    return replace(evaluation, result=replace(evaluation.result, run_id=tracked_run.run_id))


def _write_page(cfg: DictConfig, evaluation: Evaluation, comparison: Comparison) -> Path:
    """The task's own page, or the table as a page."""
    result = evaluation.result
    name = re.sub(r"[^\w.-]+", "_", f"{cfg.dataset}_{result.task}_{result.model}_{result.stage}")
    page = Path(cfg.report.html).parent / f"{name}.html"
    if cfg.outputs.page is None:
        comparison.write_html(page)
    else:
        make(cfg.outputs.page)(page, evaluation, comparison.card)
    add_to_index(page.parent, entry_of(page, comparison.card.title, [result], cfg.report.primary))
    return page


def _saves_model(cfg: DictConfig, stages: Sequence[Stage], tracked_run: TrackedRun) -> bool:
    """Whether the model that is fitted for test is to be saved; one that cannot be is announced before it is fitted."""
    wanted = cfg.tracking.save_model and cfg.outputs.bundle is not None and "test" in stages
    reason = unsavable(make(cfg.model)) if wanted else ""
    _note_unsaved(tracked_run, reason)
    return bool(wanted) and not reason


def _saved_model(cfg: DictConfig, evaluation: Evaluation, folder: Path, tracked_run: TrackedRun) -> ModelFiles | None:
    """The model's files; None, with a note in the run, where it cannot be saved."""
    reason = save_bundle(make(cfg.outputs.bundle), folder, evaluation.bundle)
    _note_unsaved(tracked_run, reason)
    if not folder.is_dir():
        return None
    return ModelFiles(folder, evaluation.result.model, cfg.task_name, run_params(cfg), evaluation.result.stage)


def _note_unsaved(tracked_run: TrackedRun, reason: str) -> None:
    """Say why a run's model cannot be registered, in the log and in the run."""
    if reason:
        log.warning("the model is not saved with the run, so it cannot be registered: %s", reason)
        tracked_run.note("model_not_saved", reason)


def _sentence(result: Result, primary: str) -> str:
    cost = ", ".join(f"{name.removesuffix('_s')} {s:.1f} s" for name, s in result.cost.items() if name.endswith("_s"))
    value = result.values().get(primary, float("nan"))
    return f"{result.model} on {result.stage}: {primary} {value:.4f} ({len(result.per_unit):,} judged; {cost})"
