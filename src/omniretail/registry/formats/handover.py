"""A registered model in other forms: ONNX, vectors with an index."""

from pathlib import Path
from typing import Any

from omniretail.core.errors import SettingsError
from omniretail.serving.bundle import RecommenderBundle
from omniretail.serving.load_registered import load_registered
from omniretail.serving.profile import ProfileService
from omniretail.serving.profile_bundle import ProfileBundle
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

    bundle = _bundle(uri, model)
    path = to_onnx(bundle.model if isinstance(bundle, RecommenderBundle) else bundle.encoder, folder)
    bundle.train.item_table.to_parquet(folder / "items.parquet", index=False)
    return path


def hand_over_embeddings(uri: str, model: str, folder: Path) -> dict[str, Any]:
    """Write vectors of the known customers and of the items as Parquet, with an index; its settings are returned.

    Of a profile encoder there are vectors of customers alone, and nothing is returned.

    Args:
        uri: of the registry.
        model: such as ``models:/grocery/3``.
        folder: made.

    Raises:
        MissingError: where there is no such version.
        SettingsError: where the model has no vectors.
    """
    from omniretail.registry.formats.embeddings import export_embeddings, export_profiles

    bundle = _bundle(uri, model)
    train = bundle.train
    if isinstance(bundle, RecommenderBundle):
        return export_embeddings(bundle.model, folder, train.histories, train.users.ids, train.items.ids)
    export_profiles(bundle.encoder, folder, train.histories, train.users.ids, train.at)
    return {}


def _bundle(uri: str, model: str) -> RecommenderBundle | ProfileBundle:
    """The fitted model and the training set that it is served with."""
    service = load_registered(uri, model).service
    if isinstance(service, RecommenderService | ProfileService):
        return service.bundle
    raise SettingsError(f"{model} answers rows of features: it has neither vectors nor a network over histories")
