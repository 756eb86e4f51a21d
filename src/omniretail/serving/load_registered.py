"""A registered model, downloaded and checked against what the registry records of it."""

from dataclasses import dataclass
from pathlib import Path

from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from omniretail.core.credentials import reveal
from omniretail.core.errors import MissingError
from omniretail.serving.bundle import kind_of
from omniretail.serving.lookup import resolved
from omniretail.serving.pyfunc import Service, load_service


@dataclass(frozen=True)
class LoadedModel:
    """A model that answers requests.

    Attributes:
        service: answers requests.
        version: such as ``grocery/3``.
        digest: sha256 of its manifest, which identifies the model's content.
    """

    service: Service
    version: str
    digest: str


def load_registered(uri: str, model: str) -> LoadedModel:
    """Download a version and load it.

    The registry's database holds the sha256 of the manifest, so somebody who can change files in the artifact store
    alone cannot replace the model.

    Args:
        uri: of the registry.
        model: ``models:/name/3`` or ``models:/name@champion``.

    Raises:
        MissingError: where there is no such model or version, or its files are gone.
        SettingsError: where ``model`` is of another form.
        BundleError: where a file is not as it was registered, or the version was saved by omniretail 0.1.
    """
    client = MlflowClient(reveal(uri), reveal(uri))
    version = resolved(client, uri, model)
    bundle, name, digest = _downloaded(uri, version)
    return LoadedModel(load_service(bundle, name, digest, _command(client, version)), name, digest)


def checked_bundle(uri: str, model: str) -> Path:
    """The files of a version, downloaded and checked, not loaded; errors as in ``load_registered``."""
    client = MlflowClient(reveal(uri), reveal(uri))
    version = resolved(client, uri, model)
    bundle, _, digest = _downloaded(uri, version)
    kind_of(bundle, digest, _command(client, version))
    return bundle


def _downloaded(uri: str, version: ModelVersion) -> tuple[Path, str, str]:
    """The files, the name and the digest that the registry holds."""
    name = f"{version.name}/{version.version}"
    digest = version.tags.get("manifest_sha256")
    if digest is None:
        raise MissingError(f"{name} was not registered by scripts/export.py, so it cannot be verified")
    try:
        folder = Path(download_artifacts(str(version.source), tracking_uri=reveal(uri)))
        (bundle,) = (folder / "data").iterdir()
    except (MlflowException, OSError, ValueError):
        raise MissingError(
            f"{name} has no files in {version.source}: register it again from run {version.run_id}"
        ) from None
    return bundle, name, digest


def _command(client: MlflowClient, version: ModelVersion) -> str:
    """The command that trained the version; empty where it is not recorded."""
    try:
        return client.get_run(str(version.run_id)).data.tags.get("command", "")
    except MlflowException:
        return ""
