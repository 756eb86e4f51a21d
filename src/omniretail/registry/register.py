"""From a run to a version in the registry: tried in a fresh process, with card, signature and example."""

import json
import tempfile
import uuid
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from omegaconf import OmegaConf

from omniretail.core.errors import MissingError, SettingsError
from omniretail.registry.mlflow_model import write_mlflow_model
from omniretail.registry.model_card import ModelCard
from omniretail.registry.smoke_test import Served, as_json, serve_in_fresh_process
from omniretail.result import Result
from omniretail.serving.bundle import kind_of
from omniretail.serving.manifest import MANIFEST, BundleError, sha256
from omniretail.serving.pyfunc import load_service
from omniretail.tracking import load_config, load_data_summary, load_result, open_store
from omniretail.tracking.logged_models import download_model, model_id_of


def register(uri: str, run_id: str, name: str) -> str:
    """Register the model that a run saved; the number of the version is returned.

    Before anything is registered the model is loaded in a fresh process, where it must give the same answers as here.

    Args:
        uri: of the tracking store, which also holds the registry.
        run_id: of a run that was evaluated on test.
        name: of the registered model; made where it is new.

    Raises:
        MissingError: where there is no such run, or it saved no model.
        SettingsError: where the name cannot be one.
        BundleError: where the model was changed since, was saved by omniretail 0.1, or gives other answers.
    """
    client = open_store(uri)
    run = _run(client, uri, run_id)
    if reason := run.data.tags.get("model_not_saved"):
        raise MissingError(f"run {run_id} saved no model: {reason}")
    with tempfile.TemporaryDirectory() as temporary:
        bundle = _download(client, uri, run, Path(temporary))
        kind = kind_of(bundle, command=run.data.tags.get("command", ""))
        service = load_service(bundle)
        example = service.example()
        served = serve_in_fresh_process(bundle, example)
        if served.answers != as_json(service.predict(example)):
            raise BundleError("the saved model gives other answers in a fresh process than here; it is not registered")
        result, data = load_result(uri, run_id, "test"), load_data_summary(uri, run_id)
        report: Any = OmegaConf.to_container(load_config(uri, run_id).report)
        card = ModelCard(name, kind, result, report, data, run, served).markdown()
        tags = _tags(result, data.version, kind, sha256(bundle / MANIFEST), served, run)
        model = write_mlflow_model(Path(temporary) / "model", bundle, example, served, card)
        place = f"registered/{name}-{uuid.uuid4().hex[:8]}"  # of its own: MLflow writes the version into it
        client.log_artifacts(run_id, str(model), place)
        return _version(client, name, f"{run.info.artifact_uri}/{place}", run, tags, card)


def _run(client: MlflowClient, uri: str, run_id: str) -> Run:
    try:
        return client.get_run(run_id)
    except MlflowException:
        raise MissingError(f"there is no run {run_id} in {uri}") from None


def _download(client: MlflowClient, uri: str, run: Run, folder: Path) -> Path:
    """The bundle that the run saved."""
    path = download_model(client, uri, run, folder / "saved")
    if path is None or not (path / MANIFEST).is_file():
        raise MissingError(
            f"run {run.info.run_id} saved no model: only runs evaluated on test do, with tracking.save_model=true; "
            "train it again with evaluate=[test]"
        )
    return path


def _tags(result: Result, data: str, kind: str, manifest: str, served: Served, run: Run) -> dict[str, str]:
    return {
        "kind": kind,
        "model": result.model,
        "task": result.task,
        "data_version": data,
        "protocol": json.dumps(dict(result.protocol)),
        "manifest_sha256": manifest,
        "latency_p50_ms": f"{served.latency_p50_ms:.3f}",
        "latency_p99_ms": f"{served.latency_p99_ms:.3f}",
        "load_s": f"{served.load_s:.3f}",
        "memory_mb": f"{served.memory_mb:.0f}",
        "git_sha": run.data.tags.get("mlflow.source.git.commit", ""),
    }


def _version(client: MlflowClient, name: str, source: str, run: Run, tags: dict[str, str], card: str) -> str:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise SettingsError(f"name={name!r} cannot be registered: {error.message}") from None
    model_id = model_id_of(run)
    version = client.create_model_version(name, source, run.info.run_id, tags=tags, description=card, model_id=model_id)
    return str(version.version)
