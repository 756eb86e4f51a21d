"""One run: config in, results out, everything kept in MLflow."""

import logging
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import instantiate
from matplotlib.figure import Figure
from omegaconf import DictConfig, OmegaConf

from omniretail.bundles import keep_profile, keep_recommender, keep_response
from omniretail.config import CONFIGS, flat, parameters
from omniretail.core.epoch_hooks import on_epoch
from omniretail.o2o.offers.figures import OfferResult
from omniretail.profile.probing.figures import BLEND, ProbeResult
from omniretail.recommendation.evaluate import Examination
from omniretail.report import accuracy_by_activity
from omniretail.result import Result
from omniretail.schema import DataError, Tables
from omniretail.sources.protocol import load
from omniretail.splits.cutoff import Split
from omniretail.tracking import TrackedRun, record_results, tracked
from omniretail.views.cached import load_fold

log = logging.getLogger(__name__)

_ELSEWHERE = {
    "omniretail.models.stores.visit_probability": "budgets",
    "omniretail.o2o.stores": "stores",
    "omniretail.models.uplift": "uplift",
}
"""Models that a script of their own asks, by where they live."""

USER_ERRORS = (DataError, PermissionError, InstantiationException, ValueError)
"""What a user can mend: shown as one sentence, without a traceback."""


def run(cfg: DictConfig) -> list[Result] | list[ProbeResult] | list[OfferResult]:
    """Load, cut, fit, judge and track; one result per stage of ``cfg.evaluate``.

    What a model is decides how it is judged: recommenders by their lists, profile encoders by what probes find in their
    embeddings, response models by who redeems offers to come.

    Each stage fits a fresh model on all that lies before its cutoff, so test is judged with validation known.

    Args:
        cfg: composed from ``configs/train.yaml``.

    Raises:
        DataError: where the data cannot be used as it is.
        PermissionError: where the cache cannot be written.
        ValueError: where settings do not fit each other or the data.
    """
    for package, script in _ELSEWHERE.items():
        if cfg.model._target_.startswith(f"{package}."):
            raise ValueError(f"{cfg.model._target_} answers another question: ask it with python scripts/{script}.py")
    name = " ".join([cfg.model._target_.rpartition(".")[2], *([cfg.model.name] if "name" in cfg.model else [])])
    with (
        tracked(cfg.tracking.uri, cfg.tracking.experiment, name, flat(cfg)) as kept,
        tempfile.TemporaryDirectory() as temporary,
    ):
        files = Path(temporary)
        tables = load(instantiate(cfg.source), Path(cfg.cache_dir))
        split = instantiate(cfg.split)
        results = [replace(result, run_id=kept.run_id) for result in _stages(cfg, tables, split, kept, files)]
        plots = _plots(results, cfg.metrics.primary)
        record_results(kept, results, OmegaConf.to_yaml(cfg, resolve=True), tables, plots, files)
        return [replace(result, run_id=kept.run_id) for result in results]


def _stages(cfg: DictConfig, tables: Tables, split: Split, kept: TrackedRun, files: Path) -> Iterator[Any]:
    judge = _Judge(cfg, tables, split, Path(cfg.cache_dir), _settings(cfg, tables, split))
    for stage in cfg.evaluate:
        model = instantiate(cfg.model)
        how = judge.probes if hasattr(model, "embed") else judge.offers if _responds(model) else judge.lists
        with on_epoch(partial(kept.point, stage)):
            result = how(model, stage, files / "model" if stage == "test" and cfg.tracking.keep_model else None)
        log.info("%s", _sentence(result, cfg.metrics.primary))
        yield result


def _responds(model: Any) -> bool:
    return hasattr(model, "predict_proba")


@dataclass(frozen=True)
class _Judge:
    """One way of judging for each protocol; each fits the model, and keeps it where a folder is given."""

    cfg: DictConfig
    tables: Tables
    split: Split
    cache: Path
    settings: dict[str, str]

    def lists(self, model: Any, stage: Any, keep: Path | None) -> Result:
        cfg = self.cfg
        examination = Examination(instantiate(cfg.metrics), instantiate(cfg.policy), cfg.memory_mb, self.settings)
        fold = load_fold(self.tables, self.split, stage, self.cache)
        result = examination.take(model, fold, stage)
        if keep:
            keep_recommender(keep, model, instantiate(cfg.policy), fold.train)
        return result

    def probes(self, model: Any, stage: Any, keep: Path | None) -> ProbeResult:
        probes = instantiate(self.cfg.probes)
        examined = probes.take(model, self.tables, self.split, stage, self.cache)
        if keep:
            rules: Any = OmegaConf.to_container(OmegaConf.load(CONFIGS / "tags/default.yaml"))
            keep_profile(keep, model, examined, probes.protocol, rules)
        return replace(examined.result, settings={**self.settings, "stage": stage})

    def offers(self, model: Any, stage: Any, keep: Path | None) -> OfferResult:
        offers = instantiate(self.cfg.offers)
        # features may differ where the same is judged
        learned = f"groups={','.join(offers.groups)} running={offers.running}"
        parameters = f"{self.settings['parameters']} {learned}".strip()
        protocol = {"split": str(offers.split()), "policy": "", "parameters": parameters, "stage": stage}
        result = offers.take(model, self.tables, stage, self.cache)
        if keep:
            rows = offers.fold(self.tables, stage, self.cache).learned
            keep_response(keep, model, rows.rows.reindex(columns=rows.columns(offers.groups)))
        return replace(result, settings={**self.settings, **protocol})


def _settings(cfg: DictConfig, tables: Tables, split: Split) -> dict[str, str]:
    """The protocol in words; results are comparable where these are equal."""
    return {
        "source": tables.card.title,
        "data": tables.version,
        "split": repr(split),
        "policy": cfg.policy._target_.rpartition(".")[2],
        "seed": str(cfg.seed),
        "parameters": parameters(cfg.model),
    }


def _plots(results: list[Any], primary: str) -> dict[str, Figure]:
    ranked = [result for result in results if isinstance(result, Result)]
    return {f"{result.stage}_by_activity": accuracy_by_activity(result, primary) for result in ranked}


def _sentence(result: Result | ProbeResult | OfferResult, primary: str) -> str:
    if isinstance(result, OfferResult):
        return (
            f"{result.model} on {result.stage}: AUC {result.value('auc'):.3f}, mean per offer "
            f"{result.value('auc_per_offer'):.3f}, log loss {result.value('log_loss'):.3f} "
            f"({result.counts['judged']:,} mailings; fit {result.fit_s:.1f} s, score {result.score_s:.1f} s)"
        )
    if isinstance(result, ProbeResult):
        blend = result.figures[result.figures.probe == BLEND]
        said = ", ".join(f"{q} {v:.3f}" for q, v in zip(blend.question, blend.value, strict=True))
        return f"{result.model} on {result.stage}: {said} (fit {result.fit_s:.1f} s, embed {result.embed_s:.1f} s)"
    figure = result.per_user[primary].mean()
    return (
        f"{result.model} on {result.stage}: {primary} {figure:.4f} "
        f"({len(result.per_user):,} users; fit {result.fit_s:.1f} s, score {result.score_s:.1f} s)"
    )
