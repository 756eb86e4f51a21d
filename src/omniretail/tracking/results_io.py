"""What a run found, as a run keeps it: written, and read back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from mlflow.artifacts import download_artifacts
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException

from omniretail.o2o.offers.figures import OfferResult
from omniretail.profile.probing.figures import BLEND, ProbeResult
from omniretail.result import Result
from omniretail.schema import DatasetCard, Tables
from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.runs import TrackedRun


def record_results(
    run: TrackedRun,
    results: Sequence[Result | ProbeResult | OfferResult],
    config: str,
    tables: Tables,
    plots: Mapping[str, Figure],
    files: Path,
) -> None:
    """Keep what a run found: means as metrics, values per user as Parquet, plots, settings and drop counts.

    Args:
        run: open.
        results: one per stage.
        config: the resolved config, YAML.
        tables: the data, for its version and drop counts.
        plots: matplotlib figures by file name without its ending.
        files: a folder that the run gets whole; what is recorded here is added to it.
    """
    (files / "config.yaml").write_text(config)
    facts = {"card": asdict(tables.card), "drops": tables.drops, "version": tables.version}
    (files / "data.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False))
    for result in results:
        _write_result(result, files / "results" / result.stage)
    for name, figure in plots.items():
        (files / "plots").mkdir(exist_ok=True)
        figure.savefig(files / "plots" / f"{name}.svg")
    run.record(files, {k: v for result in results for k, v in means(result).items()}, [_dataset(tables)])


def means(result: Result | ProbeResult | OfferResult) -> dict[str, float]:
    """The run's figures under their MLflow keys, e.g. ``test/ndcg_at_10``; what nobody has is left out."""
    if isinstance(result, ProbeResult):
        return _answered(result)
    if isinstance(result, OfferResult):
        return _offered(result)
    figures = result.per_user.mean().dropna().to_dict() | result.overall
    costs = {"fit_s": result.fit_s, "score_s": result.score_s, "peak_memory_mb": result.peak_memory_mb}
    return {f"{result.stage}/{key}": float(value) for key, value in (figures | costs).items()}


def _answered(result: ProbeResult) -> dict[str, float]:
    """``test/age/auc`` is what the blend of all probes says; each probe's own is ``test/age/auc_linear``."""
    rows = result.figures.dropna(subset="value")
    figures = {
        f"{row['question']}/{row['figure']}" + ("" if row["probe"] == BLEND else f"_{row['probe']}"): row["value"]
        for row in rows.to_dict("records")
    }
    costs = {"fit_s": result.fit_s, "embed_s": result.embed_s, "peak_memory_mb": result.peak_memory_mb}
    return {f"{result.stage}/{key}": float(value) for key, value in (figures | costs).items()}


def _offered(result: OfferResult) -> dict[str, float]:
    """``test/auc``, ``test/auc_per_offer`` with its interval, …, and what was learned from, judged and left out."""
    known = result.figures.dropna(subset="value").set_index("figure")
    figures = known.value.to_dict() | {
        f"{name}_{end}": known.loc[name, end] for name in known.index for end in ("low", "high")
    }
    costs = {"fit_s": result.fit_s, "score_s": result.score_s, "peak_memory_mb": result.peak_memory_mb}
    counts = {f"n_{name}": n for name, n in result.counts.items()}
    return {f"{result.stage}/{key}": float(value) for key, value in (figures | costs | counts).items()}


@dataclass(frozen=True)
class DataFacts:
    """What a run says of its data."""

    card: DatasetCard
    drops: dict[str, int]
    version: str


def load_data_facts(uri: str, run_id: str) -> DataFacts:
    """Read back what ``record_results`` kept of the data."""
    facts = json.loads(Path(download_artifacts(run_id=run_id, artifact_path="data.json", tracking_uri=uri)).read_text())
    return DataFacts(DatasetCard(**facts["card"]), facts["drops"], facts["version"])


def load_result(uri: str, run_id: str, stage: str) -> Result | ProbeResult | OfferResult:
    """Read back what ``record_results`` kept.

    Raises:
        LookupError: where the store has no such run, or the run no such stage.
        PermissionError: where the server does not let us in.
    """
    try:
        folder = Path(download_artifacts(run_id=run_id, artifact_path=f"results/{stage}", tracking_uri=uri))
    except (MlflowException, OSError) as error:
        if refused := refusal(uri, error):
            raise PermissionError(refused) from None
        raise LookupError(f"run {run_id} has no results for stage={stage} in {uri}: {error}") from None
    facts = json.loads((folder / "result.json").read_text())
    kind = Result if "overall" in facts else OfferResult if "counts" in facts else ProbeResult
    frames: dict[str, Any] = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES[kind]}
    return kind(**facts, **frames, run_id=run_id)


def _dataset(tables: Tables) -> DatasetInput:
    facts = json.dumps({"address": tables.card.address, "terms": tables.card.terms})
    profile = json.dumps({"dropped": tables.drops})
    entity = Dataset(tables.card.title, tables.version, "files", facts, profile=profile)
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training and evaluation")])


_FRAMES = {Result: ("per_user",), ProbeResult: ("figures", "answers"), OfferResult: ("figures", "answers")}


def _write_result(result: Result | ProbeResult | OfferResult, folder: Path) -> None:
    folder.mkdir(parents=True)
    frames = _FRAMES[type(result)]
    facts = {f.name: getattr(result, f.name) for f in fields(result) if f.name not in (*frames, "run_id")}
    (folder / "result.json").write_text(json.dumps(facts, indent=1))
    for name in frames:
        getattr(result, name).to_parquet(folder / f"{name}.parquet")
