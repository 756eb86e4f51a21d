"""Vectors of users and items whose product is a model's score, as Parquet, with an index of the items."""

import json
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from omniretail.core.errors import SettingsError
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.registry.formats import ann_index as ann
from omniretail.serving.ann_index import ABOUT
from omniretail.serving.onnx_inputs import groups, laid_out
from omniretail.views.histories import Histories

WITH_VECTORS = "SASRec and GRU4Rec (without own_items), MultVAE, LightGCN, TwoTower, iALS, BPR"
_ROWS = 1 << 16
"""Rows written at a time."""


@runtime_checkable
class Factors(Protocol):
    """A fitted recommender whose scores are ``user_vectors(users) @ item_factors_.T``."""

    item_factors_: np.ndarray

    def user_vectors(self, users: Histories) -> np.ndarray:
        """Shape (B, D)."""
        ...


def item_embeddings(model: Any) -> np.ndarray:
    """The catalogue's vectors, to be multiplied with ``user_embeddings``.

    Args:
        model: fitted.

    Returns:
        float32, not shared with the model; shape (I, D).

    Raises:
        SettingsError: from a model whose scores are no products of vectors.
    """
    if isinstance(model, Factors):
        return np.array(model.item_factors_, dtype=np.float32)
    return _graph(model).items.numpy().copy()


def user_embeddings(model: Any, users: Histories) -> np.ndarray:
    """Vectors of users; their products with the items' are the model's scores, except for a user without a history.

    Args:
        model: fitted.
        users: histories of B users.

    Returns:
        float32; shape (B, D). Zero for a user without a history, except that BPR's ranks by the items' biases and
        TwoTower's is its tower's output for an empty history.

    Raises:
        SettingsError: from a model whose scores are no products of vectors.
        UnknownUserError: from BPR, for a user who was not in training.
    """
    return model.user_vectors(users) if isinstance(model, Factors) else _by_network(_graph(model), users)


def export_embeddings(
    model: Any,
    folder: Path,
    users: Histories,
    user_ids: Any,
    item_ids: Any,
    settings: ann.IndexSettings = ann.IndexSettings(),  # noqa: B008  (frozen)
) -> dict[str, Any]:
    """Write ``users.parquet``, ``items.parquet`` and an index of the items.

    Args:
        model: fitted.
        folder: made where it is not there.
        users: histories of U users.
        user_ids: their raw ids; shape (U,).
        item_ids: raw ids of the catalogue; shape (I,).
        settings: of the index.

    Returns:
        The content of ``index.json``, see ``ann_index.write_index``.

    Raises:
        SettingsError: from a model whose scores are no products of vectors.
    """
    items, vectors = item_embeddings(model), user_embeddings(model, users)
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "users.parquet", "user_id", user_ids, vectors)
    _write(folder / "items.parquet", "item_id", item_ids, items)
    some = vectors[np.abs(vectors).max(axis=1, initial=0.0) > 0]
    about = {"model": type(model).__name__, **ann.write_index(folder, items, some, settings)}
    (folder / ABOUT).write_text(json.dumps(about, indent=2) + "\n")
    return about


def export_profiles(encoder: ProfileEncoder, folder: Path, users: Histories, user_ids: Any, at: int) -> None:
    """Write ``users.parquet`` with the vectors of a profile encoder.

    Args:
        encoder: fitted.
        folder: made where it is not there.
        users: histories of U users.
        user_ids: their raw ids; shape (U,).
        at: the time as of which they are described, seconds since 1970.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "users.parquet", "user_id", user_ids, encoder.embed(users, at))


def _graph(model: Any) -> Any:
    from omniretail.registry.formats.exportable import graph_of  # imports torch, which iALS and BPR do not need

    graph, name = graph_of(model), type(model).__name__
    if graph is None:
        raise SettingsError(f"the scores of {name} are no products of vectors; those of {WITH_VECTORS} are")
    if graph.items is None:
        raise SettingsError(f"{name} is a profile encoder: it has vectors of users, none of items")
    if graph.own_items is not None:
        raise SettingsError(f"own_items=true adds a bonus to {name}'s products of vectors; train it without")
    return graph


def _by_network(graph: Any, users: Histories) -> np.ndarray:
    import torch

    vectors = np.zeros((len(users), graph.items.shape[1]), dtype=np.float32)
    network = graph.vectors.eval()
    with torch.inference_mode():
        for rows in groups(users):
            arrays = laid_out(users.take(rows), graph.layout)
            vectors[rows] = network({name: torch.from_numpy(arrays[name]) for name in graph.inputs}).numpy()
    return vectors


def _write(path: Path, key: str, ids: Any, vectors: np.ndarray) -> None:
    if len(ids) != len(vectors):
        raise ValueError(f"{len(ids)} ids for {len(vectors)} vectors: {path.name} needs one each")
    raw, dim = pa.array(np.asarray(ids)), vectors.shape[1]
    schema = pa.schema([(key, raw.type), ("embedding", pa.list_(pa.float32()))])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(vectors), _ROWS):
            part = vectors[start : start + _ROWS]
            offsets = pa.array(np.arange(len(part) + 1, dtype=np.int32) * dim)
            lists = pa.ListArray.from_arrays(offsets, pa.array(np.ascontiguousarray(part).ravel()))
            writer.write_table(pa.table([raw.slice(start, len(part)), lists], schema=schema))
