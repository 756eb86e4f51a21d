"""From a run to a version in the registry: checked in a process of its own, with card, signature and example."""

import json
import tempfile
import uuid
import warnings
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities import Run
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types.schema import AnyType, ColSpec, DataType, Schema

from omniretail import __version__
from omniretail.registry.model_card import model_card
from omniretail.registry.smoke_test import Served, as_json, serve_in_fresh_process
from omniretail.serving.bundle import facts_of, kind_of
from omniretail.serving.manifest import MANIFEST, BundleError, sha256
from omniretail.serving.profile import FIELDS as PROFILE
from omniretail.serving.pyfunc import load_service
from omniretail.serving.recommender import FIELDS as RECOMMENDER
from omniretail.tracking import load_data_facts, load_result

CARD = "model_card.md"


def register(uri: str, run_id: str, name: str) -> str:
    """Register the model that a run kept; its version is returned.

    Before anything is registered the model is loaded and asked in a fresh process, and must answer there as here.

    Args:
        uri: of the tracking store, which also holds the registry.
        run_id: of a run that was judged on test.
        name: of the registered model; made where it is new.

    Raises:
        LookupError: where there is no such run, or it keeps no model.
        BundleError: where the model was changed since, or does not answer as it does here.
    """
    client = MlflowClient(uri, uri)
    run = _run(client, uri, run_id)
    with tempfile.TemporaryDirectory() as temporary:
        bundle = _kept(uri, run_id, Path(temporary))
        kind = kind_of(bundle)
        service = load_service(bundle)
        example = service.example()
        served = serve_in_fresh_process(bundle, example)
        if served.answers != as_json(service.predict(example)):
            raise BundleError("the kept model answers otherwise in a fresh process than here; it is not registered")
        result, data = load_result(uri, run_id, "test"), load_data_facts(uri, run_id)
        text = model_card(kind, result, data, run, served, name)
        seal = sha256(bundle / MANIFEST)
        model = as_mlflow(Path(temporary) / "model", bundle, example, served, text, kind)
        place = f"registered/{name}-{uuid.uuid4().hex[:8]}"  # of its own: MLflow notes the version in it
        client.log_artifacts(run_id, str(model), place)
        tags = _tags(result, data.version, kind, seal, served, run)
        return _version(client, name, f"{run.info.artifact_uri}/{place}", run_id, tags, text)


def _run(client: MlflowClient, uri: str, run_id: str) -> Run:
    try:
        return client.get_run(run_id)
    except MlflowException:
        raise LookupError(f"there is no run {run_id} in {uri}") from None


def _kept(uri: str, run_id: str, folder: Path) -> Path:
    """The bundle that the run keeps, brought here."""
    try:
        found = download_artifacts(
            run_id=run_id, artifact_path="model", dst_path=str(folder / "kept"), tracking_uri=uri
        )
    except (MlflowException, OSError):
        found = ""
    if not found or not (Path(found) / MANIFEST).is_file():
        raise LookupError(
            f"run {run_id} keeps no model: only runs judged on test do, with tracking.keep_model=true; "
            "train it again with evaluate=[test]"
        )
    return Path(found)


def as_mlflow(folder: Path, bundle: Path, example: pd.DataFrame, served: Served, text: str, kind: str) -> Path:
    """Write a bundle in MLflow's form: data and no code, read by ``omniretail.serving.pyfunc``; the folder is returned.

    Args:
        folder: not there yet.
        bundle: sealed.
        example: requests that show how to ask.
        served: what a fresh process found, for the requirements.
        text: the card.
        kind: ``recommender``, ``profile`` or ``response``.
    """
    with warnings.catch_warnings():  # MLflow warns when it is imported, and of fields that the model itself checks
        warnings.filterwarnings("ignore", ".*AnyType")
        from mlflow.pyfunc import save_model
    save_model(
        path=str(folder),
        loader_module="omniretail.serving.pyfunc",
        data_path=str(bundle),
        signature=_signature(kind, example),
        input_example=example,
        pip_requirements=requirements(served),
        metadata={"kind": kind, **{k: v for k, v in facts_of(bundle).items() if k in ("model", "n_users", "n_items")}},
    )
    (folder / CARD).write_text(text)
    return folder


def requirements(served: Served) -> list[str]:
    """What the model takes to be served, pinned; MLflow is what serves it."""
    found = served.packages | {"mlflow": mlflow.__version__}
    return [f"omniretail=={__version__}", *(f"{name}=={found[name].partition('+')[0]}" for name in sorted(found))]


def _signature(kind: str, example: pd.DataFrame) -> ModelSignature:
    """Fields may be left out or null, so the model itself checks them, and names the one that is wrong."""
    fields = {"recommender": RECOMMENDER, "profile": PROFILE}.get(kind, tuple(example.columns))
    inputs = Schema([ColSpec(AnyType(), name, required=False) for name in fields])
    return ModelSignature(inputs=inputs, outputs=_OUTPUTS.get(kind))


_OUTPUTS = {
    "recommender": Schema(
        [
            *(ColSpec(AnyType(), name) for name in ("item_ids", "scores")),
            ColSpec(AnyType(), "names", required=False),
            ColSpec(DataType.string, "fallback", required=False),
            ColSpec(DataType.long, "unknown_items"),
            ColSpec(DataType.string, "model_version"),
        ]
    ),
    "profile": Schema(
        [
            *(ColSpec(AnyType(), name) for name in ("embedding", "tags", "probabilities")),
            ColSpec(DataType.string, "fallback", required=False),
            ColSpec(DataType.long, "unknown_items"),
            ColSpec(DataType.string, "model_version"),
        ]
    ),
    "response": Schema(
        [
            ColSpec(DataType.double, "probability"),
            ColSpec(DataType.double, "uplift", required=False),
            ColSpec(DataType.string, "model_version"),
        ]
    ),
}


def _tags(result: Any, data: str, kind: str, seal: str, served: Served, run: Run) -> dict[str, str]:
    protocol = {key: result.settings.get(key, "") for key in ("source", "split", "policy")}
    return {
        "kind": kind,
        "model": result.model,
        "data_version": data,
        "protocol": json.dumps(protocol),
        "manifest_sha256": seal,
        "latency_p50_ms": f"{served.latency_p50_ms:.3f}",
        "latency_p99_ms": f"{served.latency_p99_ms:.3f}",
        "load_s": f"{served.load_s:.3f}",
        "memory_mb": f"{served.memory_mb:.0f}",
        "git_sha": run.data.tags.get("mlflow.source.git.commit", ""),
    }


def _version(client: MlflowClient, name: str, source: str, run_id: str, tags: dict[str, str], text: str) -> str:
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise ValueError(f"name={name!r} cannot be registered: {error.message}") from None
    made = client.create_model_version(name, source, run_id, tags=tags, description=text)
    return str(made.version)
