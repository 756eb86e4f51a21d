"""A registered model in other forms: ONNX, vectors with an index."""

from pathlib import Path
from typing import Any

from omniretail.core.errors import SettingsError
from omniretail.serving.load_registered import load_registered
from omniretail.serving.profile import ProfileService
from omniretail.serving.recommender import RecommenderService


def hand_over_onnx(uri: str, model: str, folder: Path) -> Path:
    """Write a registered network as ONNX, checked against itself, with the ids behind its indices.

    Args:
        uri: of the registry.
        model: such as ``models:/grocery/3``.
        folder: made; gets the ``.onnx`` file, and ``items.parquet`` in the order of its columns.

    Raises:
        MissingError: where there is no such version.
        SettingsError: where the model is no network.
    """
    from omniretail.registry.formats.onnx import to_onnx

    fitted, train = _parts(uri, model)
    path = to_onnx(fitted, folder)
    train.item_table.to_parquet(folder / "items.parquet", index=False)
    return path


def hand_over_embeddings(uri: str, model: str, folder: Path) -> dict[str, Any]:
    """Write vectors of the known customers and of the items as Parquet, with an index; its settings are returned.

    Args:
        uri: of the registry.
        model: such as ``models:/grocery/3``.
        folder: made.

    Raises:
        MissingError: where there is no such version.
        SettingsError: where the model has no vectors.
    """
    from omniretail.registry.formats.embeddings import export_embeddings

    fitted, train = _parts(uri, model)
    return export_embeddings(fitted, folder, train.histories, train.users.ids, train.items.ids, train.at)


def _parts(uri: str, model: str) -> tuple[Any, Any]:
    """The fitted model and the training set that it is served with."""
    service = load_registered(uri, model).service
    if isinstance(service, RecommenderService):
        return service.bundle.model, service.bundle.train
    if isinstance(service, ProfileService):
        return service.bundle.encoder, service.bundle.train
    raise SettingsError(f"{model} is a response model: it has neither vectors nor a network over histories")
