"""Results and settings of a run in MLflow: written, and read back."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow.artifacts import download_artifacts
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.exceptions import MlflowException
from omegaconf import DictConfig, OmegaConf

from omniretail.core.credentials import hide, reveal
from omniretail.core.errors import MissingError, SettingsError
from omniretail.result import Result
from omniretail.schema import DatasetCard, Tables
from omniretail.tasks import Evaluation
from omniretail.tracking.auth_errors import refusal
from omniretail.tracking.logged_models import ModelFiles
from omniretail.tracking.runs import TrackedRun
from omniretail.tracking.server_probe import wrong_server
from omniretail.tracking.store import first_line

_FRAMES = ("per_unit", "metrics", "resampled")


def record_evaluations(
    run: TrackedRun,
    evaluations: Sequence[Evaluation],
    config: str,
    tables: Tables,
    folder: Path,
    model: ModelFiles | None = None,
) -> None:
    """Record a run's metrics, values per unit and further tables as Parquet, settings and drop counts.

    Args:
        run: open.
        evaluations: one per stage.
        config: the resolved config, YAML.
        tables: the data, for its version and drop counts.
        folder: becomes the run's artifacts whole; what is recorded here is added to it.
        model: that the run saves.
    """
    (folder / "config.yaml").write_text(hide(config))
    about = {"card": asdict(tables.card), "drops": tables.drops, "version": tables.version}
    (folder / "data.json").write_text(json.dumps(about, indent=1, ensure_ascii=False))
    metrics: dict[str, float] = {}
    for evaluation in evaluations:
        place = folder / "results" / evaluation.result.stage
        write_result(evaluation.result, place)
        for name, frame in evaluation.tables.items():
            frame.to_parquet(place / f"{name}.parquet")
        metrics |= mlflow_metrics(evaluation.result)
    run.record(folder, metrics, [_dataset(tables)], model)


def mlflow_metrics(result: Result) -> dict[str, float]:
    """Metrics, intervals, counts and costs under their MLflow keys, e.g. ``test/churn/auc``; NaN is left out."""
    keys = result.values()
    ends = {
        f"{name}_{end}": float(value)
        for end in ("low", "high")
        for name, value in zip(keys, result.metrics[end], strict=True)
    }
    values = {**keys, **ends, **result.counts, **result.cost}
    return {_mlflow_name(f"{result.stage}/{name}"): float(value) for name, value in values.items() if value == value}


def seed_metrics(results: Sequence[Result]) -> dict[str, float]:
    """Mean and standard deviation over seeds, for the run of a sweep: ``test/auc`` and ``test/auc_sd``.

    Where the sweep has several models or settings, their names stand in front: ``SASRec/test/auc``.

    Args:
        results: of one protocol, one per run.
    """
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.model, result.parameters), []).append(result)
    settings = Counter(model for model, _ in groups)
    metrics: dict[str, float] = {}
    for (model, parameters), group in groups.items():
        values: Any = pd.DataFrame([mlflow_metrics(result) for result in group])
        if len({result.seed for result in group}) < 2:
            continue
        name = f"{model} {parameters}" if settings[model] > 1 else model
        front = f"{_mlflow_name(name)[:150]}/" if len(groups) > 1 else ""
        for key in values.columns[values.notna().all()]:
            metrics |= {f"{front}{key}": float(values[key].mean()), f"{front}{key}_sd": float(values[key].std())}
    return metrics


def _mlflow_name(name: str) -> str:
    """A key of characters that MLflow accepts."""
    return "".join(letter if letter.isalnum() or letter in "_-./" else "_" for letter in name)


@dataclass(frozen=True)
class DataSummary:
    """A run's summary of its data."""

    card: DatasetCard
    drops: dict[str, int]
    version: str


def load_data_summary(uri: str, run_id: str) -> DataSummary:
    """Read back what ``record_evaluations`` recorded of the data."""
    path = Path(download_artifacts(run_id=run_id, artifact_path="data.json", tracking_uri=reveal(uri)))
    about = json.loads(path.read_text())
    return DataSummary(DatasetCard(**about["card"]), about["drops"], about["version"])


def load_config(uri: str, run_id: str) -> DictConfig:
    """The resolved settings of a run."""
    config = OmegaConf.load(download_artifacts(run_id=run_id, artifact_path="config.yaml", tracking_uri=reveal(uri)))
    assert isinstance(config, DictConfig)
    return config


def load_result(uri: str, run_id: str, stage: str) -> Result:
    """Read back what ``record_evaluations`` recorded.

    Raises:
        MissingError: where the store has no such run, the run no such stage, or a version of omniretail before 0.2
            recorded it.
        PermissionError: where the server refuses name or password.
    """
    try:
        folder = Path(download_artifacts(run_id=run_id, artifact_path=f"results/{stage}", tracking_uri=reveal(uri)))
    except (MlflowException, OSError) as error:
        if refused := refusal(uri, error):
            raise PermissionError(refused) from None
        if wrong := wrong_server(uri):
            raise SettingsError(wrong) from None
        raise MissingError(
            f"run {run_id} has no results for stage={stage} in {hide(uri)}: {first_line(error)}"
        ) from None
    if not (folder / "metrics.parquet").exists():
        raise MissingError(f"run {run_id} was recorded by a version before 0.2; run its command again")
    return read_result(folder, run_id)


def load_table(uri: str, run_id: str, stage: str, name: str) -> pd.DataFrame | None:
    """Read back a further table that a run recorded beside its result; None where it has none of that name."""
    place = f"results/{stage}/{name}.parquet"
    try:
        return pd.read_parquet(download_artifacts(run_id=run_id, artifact_path=place, tracking_uri=reveal(uri)))
    except (MlflowException, OSError):
        return None


def write_result(result: Result, folder: Path) -> None:
    """Write a result as JSON and Parquet into a folder that is made."""
    folder.mkdir(parents=True)
    plain = {f.name: getattr(result, f.name) for f in fields(result) if f.name not in (*_FRAMES, "run_id")}
    (folder / "result.json").write_text(json.dumps(plain, indent=1, default=dict))
    for name in _FRAMES:
        getattr(result, name).to_parquet(folder / f"{name}.parquet")


def read_result(folder: Path, run_id: str = "") -> Result:
    """Read what ``write_result`` wrote."""
    plain = json.loads((folder / "result.json").read_text())
    frames: dict[str, Any] = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
    return Result(**plain, **frames, run_id=run_id)


def _dataset(tables: Tables) -> DatasetInput:
    source = json.dumps({"address": tables.card.address, "terms": tables.card.terms})
    profile = json.dumps({"dropped": tables.drops})
    entity = Dataset(tables.card.title, tables.version, "files", source, profile=profile)
    return DatasetInput(entity, [InputTag("mlflow.data.context", "training and evaluation")])
