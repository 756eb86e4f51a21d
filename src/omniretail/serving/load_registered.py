"""A registered model brought here, and held against what the registry knows of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from omniretail.serving.pyfunc import Service, load_service

_SCHEME = "models:/"


@dataclass(frozen=True)
class LoadedModel:
    """A model that can be asked.

    Attributes:
        service: answers requests.
        version: such as ``grocery/3``.
        digest: sha256 of its manifest, which names the model for good.
    """

    service: Service
    version: str
    digest: str


def load_registered(uri: str, model: str) -> LoadedModel:
    """Download a version and load it.

    The registry's database keeps the sha256 of the manifest, so whoever can change files in the artifact store alone
    cannot pass off others.

    Args:
        uri: of the registry.
        model: ``models:/name/3`` or ``models:/name@champion``.

    Raises:
        LookupError: where there is no such model or version, or its files are gone.
        BundleError: where a file is not as it was registered.
    """
    client = MlflowClient(uri, uri)
    found = _version(client, uri, model)
    name = f"{found.name}/{found.version}"
    digest = found.tags.get("manifest_sha256")
    if digest is None:
        raise LookupError(f"{name} was not registered by scripts/export.py, so nothing tells whether it can be trusted")
    try:
        folder = Path(download_artifacts(str(found.source), tracking_uri=uri))
        (bundle,) = (folder / "data").iterdir()
    except (MlflowException, OSError, ValueError):
        raise LookupError(f"{name} has no files in {found.source}: register it again from run {found.run_id}") from None
    return LoadedModel(load_service(bundle, name, digest), name, digest)


def _version(client: MlflowClient, uri: str, model: str) -> ModelVersion:
    if not model.startswith(_SCHEME):
        raise LookupError(
            f"model={model} is no model of a registry; it looks like models:/name/3 or models:/name@champion"
        )
    name, alias_mark, alias = model.removeprefix(_SCHEME).partition("@")
    name, _, number = name.partition("/")
    try:
        client.get_registered_model(name)
    except MlflowException:
        known = [each.name for each in client.search_registered_models()]
        raise LookupError(f"there is no model {name} in {uri}{_hint(name, known)}") from None
    try:
        return client.get_model_version_by_alias(name, alias) if alias_mark else client.get_model_version(name, number)
    except MlflowException:
        what = f"alias {alias}" if alias_mark else f"version {number or '(none given)'}"
        versions = sorted(int(each.version) for each in client.search_model_versions(f"name='{name}'"))
        raise LookupError(f"{name} has no {what}; it has versions {', '.join(map(str, versions)) or 'none'}") from None


def _hint(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known) or 'none'}"
