"""An audit from settings to the run in MLflow: load, change the future, print, measure what a leak is worth, record."""

import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.console import Console

from omniretail.audit.as_of import audit_times
from omniretail.audit.detect import Finding, View, audit
from omniretail.audit.leak_value import NO_LEAK, leak_task, leak_value
from omniretail.config import command, make
from omniretail.core.credentials import hide
from omniretail.core.errors import USER_ERRORS, LeakError, SettingsError
from omniretail.core.times import parse_utc
from omniretail.dataset import Dataset
from omniretail.report.compare import Comparison, Report
from omniretail.report.experiment import save_tables
from omniretail.report.pages.audit import write_audit
from omniretail.report.pages.index import Entry, add_to_index
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.leaks import audit_sentences, audit_table, leaks
from omniretail.run import dataset, stages_of
from omniretail.schema import DatasetCard
from omniretail.splits.cutoff import Stage
from omniretail.tasks import require_methods
from omniretail.tracking import tracked

REPORT = Report(primary="auc", metrics=("gain", "auc_per_offer"), baseline=NO_LEAK)


def run_audit(cfg: DictConfig) -> None:
    """Audit the views of a log, print the findings and record them.

    Args:
        cfg: composed from ``configs/audit.yaml``.

    Raises:
        DataError: where the data cannot be used as it is.
        LeakError: where a view leaks; everything is recorded before.
        PermissionError: where the cache cannot be written.
        SettingsError: where settings do not fit each other or the data.
    """
    stage = stages_of(cfg.evaluate)[-1]
    require_methods(make(cfg.model), ["embed"], "profile", example="profile/table")
    views, data = chosen_views(cfg.audit), dataset(cfg)
    times = [parse_utc(str(at)) for at in cfg.audit.at] or audit_times(data.tables, data.required_split())
    findings = [each for at in times for each in audit(views, data.tables, at, seed=cfg.seed)]
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)
    _show(console, data.tables.card.title, findings)
    comparisons = _leak_values(cfg, data, stage, console)
    params = {"dataset": cfg.dataset, "source": cfg.source._target_, "views": ",".join(views), "stage": stage}
    with (
        tracked(cfg.tracking.uri, cfg.tracking.experiment, "audit", params) as run,
        tempfile.TemporaryDirectory() as tmp,
    ):
        folder = Path(tmp)
        metrics = _write(folder, findings, comparisons, stage)
        (folder / "config.yaml").write_text(hide(OmegaConf.to_yaml(cfg, resolve=True)))
        page = _write_page(cfg, findings, comparisons, data.tables.card, run.run_id)
        (folder / "report").mkdir()
        (folder / "report" / page.name).write_bytes(page.read_bytes())
        run.record(folder, metrics)
    print(f"\nPage: {command('python')} -m webbrowser {page}")
    if cfg.audit.experiment is not None:
        save_tables(Path(cfg.audit.experiment), {name: each.table for name, each in comparisons.items()})
    print(f"run_id={run.run_id}", flush=True)
    if leaking := list(dict.fromkeys(each.view for each in leaks(findings))):
        raise LeakError(f"{len(leaking)} of the views leak: {', '.join(leaking)}")


def chosen_views(settings: DictConfig) -> dict[str, View]:
    """The views that ``audit.only`` names, or all.

    Raises:
        SettingsError: where a name is not among the views, or a view cannot be imported.
    """
    if unknown := [name for name in settings.only if name not in settings.views]:
        raise SettingsError(f"audit.only={unknown[0]}: the views are {', '.join(settings.views)}")
    sections = {name: settings.views[name] for name in settings.only or settings.views}
    return {name: _view(name, {"_target_": each} if isinstance(each, str) else each) for name, each in sections.items()}


def _view(name: str, section: DictConfig | Mapping[str, str]) -> View:
    try:
        return instantiate(section, _partial_=True, _convert_="all")
    except InstantiationException as error:
        raise SettingsError(f"audit.views.{name}: {error}") from error


def _show(console: Console, title: str, findings: Sequence[Finding]) -> None:
    console.print(f"\n[bold]{title}[/bold]\n")
    console.print(audit_table(findings).terminal(console.width))
    for sentence in audit_sentences(findings):
        console.print(sentence, markup=False)


def _write_page(
    cfg: DictConfig,
    findings: Sequence[Finding],
    comparisons: Mapping[str, Comparison],
    card: DatasetCard,
    run_id: str,
) -> Path:
    page = Path(cfg.report.html).parent / f"{cfg.dataset}_audit.html"
    write_audit(page, findings, {name: each.table for name, each in comparisons.items()}, card)
    made = datetime.now(UTC).isoformat(timespec="seconds")
    views = len({each.view for each in findings if not each.why_not})
    what = f"{len({each.view for each in leaks(findings)})} of {views} views leak"
    add_to_index(page.parent, Entry(page.name, made, card.title, "audit", what, run_id=run_id))
    return page


def _leak_values(cfg: DictConfig, data: Dataset, stage: Stage, console: Console) -> dict[str, Comparison]:
    """What each leak is worth to each response model; empty where there are no models or no offers."""
    if not cfg.audit.response_models or data.tables.offers is None:
        return {}
    try:
        task = leak_task(make(cfg.task), data.tables, stage, data.cache)
    except USER_ERRORS as error:
        console.print(f"No model was trained: {error}", markup=False)
        return {}
    models = {str(name): partial(make, section) for name, section in cfg.audit.response_models.items()}
    comparisons = {
        name: REPORT.compare(results, data.tables.card, data.tables.drops)
        for name, results in leak_value(task, models).items()
    }
    for name, each in comparisons.items():
        console.print(f"\n[bold]What a leak is worth to {name}[/bold]\n")
        console.print(text_table(each.table).terminal(console.width))
    return comparisons


def _write(
    folder: Path, findings: Sequence[Finding], comparisons: Mapping[str, Comparison], stage: Stage
) -> dict[str, float]:
    """Write the run's artifacts; returns its metrics."""
    (folder / "audit").mkdir()
    pd.DataFrame([asdict(each) for each in findings]).to_csv(folder / "audit" / "findings.csv", index=False)
    metrics = {"leaks": float(len(leaks(findings)))}
    for name, each in comparisons.items():
        each.to_csv(folder / "audit" / f"leak_value_{name}.csv")
        aucs = {f"{stage}/{name}/{leak}/auc": value for leak, value in each.table.auc.items()}
        metrics |= {key.replace("'", "").replace(" ", "_"): float(value) for key, value in aucs.items()}
    return metrics
