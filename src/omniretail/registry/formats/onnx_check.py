"""Does an ONNX file give the model's numbers? On random histories."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from omniretail.registry.formats.exportable import Graph, graph_of
from omniretail.serving.onnx_runtime import OnnxEncoder, OnnxRecommender
from omniretail.views.histories import Histories

_AT = 1 << 40
"""A time after all events."""


def check_onnx(model: Any, path: Path, rng: np.random.Generator) -> float:
    """Run an ONNX file and the model on the same random histories.

    Among them are empty ones, some of one event, of exactly as many events as the network reads and of more, of
    training users and of new ones, alone and in batches.

    Args:
        model: that was exported.
        path: from ``to_onnx``.
        rng: draws the histories.

    Returns:
        The largest difference, relative to the largest absolute number of the same user.
    """
    graph = graph_of(model)
    assert graph is not None
    longest = graph.layout.max_len or 50
    lengths = np.array([0, 1, 2, 3, longest - 1, longest, longest + 1, 2 * longest])
    outputs, worst = _runner(path, graph), 0.0
    for n_users in (1, 2, 7, 16):
        some = np.concatenate([lengths, rng.integers(0, longest + 1, 8)])[rng.permutation(16)[:n_users]]
        users = random_histories(some, graph.n_items, graph.n_users, rng)
        ours, theirs = _expected(model, graph, users), outputs(users)
        scale = np.maximum(np.abs(ours).max(axis=1), np.finfo(np.float32).tiny)
        worst = max(worst, float((np.abs(ours - theirs).max(axis=1) / scale).max()))
        if not np.isfinite(theirs).all():
            return float("nan")
    return worst


def random_histories(lengths: np.ndarray, n_items: int, n_users: int, rng: np.random.Generator) -> Histories:
    """Histories of these lengths, with amounts and times; half of them are of training users, where there are any."""
    n = int(lengths.sum())
    first = np.cumsum(lengths) - lengths
    begins = rng.random(n) < 0.6
    begins[first[lengths > 0]] = True
    started = np.cumsum(begins)
    basket = started - np.repeat(started[np.minimum(first, max(n - 1, 0))] if n else first, lengths)
    in_training = (rng.random(len(lengths)) < 0.5) & (n_users > 0)
    amounts = {name: rng.gamma(2, 2, n).astype(np.float32) for name in ("quantity", "value")}
    return Histories(
        user_idx=np.where(in_training, rng.integers(0, max(n_users, 1), len(lengths)), -1).astype(np.int32),
        offsets=np.append(first, n),
        item_idx=rng.integers(0, n_items, n).astype(np.int32),
        timestamp=np.cumsum(begins * rng.integers(0, 100_000, n)),
        basket=basket.astype(np.int32),
        n_items=n_items,
        event_type=rng.integers(-1, 3, n).astype(np.int16),
        channel=rng.integers(-1, 2, n).astype(np.int16),
        **amounts,
    )


def _expected(model: Any, graph: Graph, users: Histories) -> np.ndarray:
    return model.embed(users, _AT) if graph.items is None else model.score(users)


def _runner(path: Path, graph: Graph) -> Callable[[Histories], np.ndarray]:
    """Runs the file; vectors of a recommender are multiplied with the items', so that scores are compared."""
    if path.stem == "scores":
        return OnnxRecommender(path).score
    encoder = OnnxEncoder(path)
    return encoder.embed if graph.items is None else lambda users: _multiplied(encoder.embed(users), graph, users)


def _multiplied(vectors: np.ndarray, graph: Graph, users: Histories) -> np.ndarray:
    assert graph.items is not None
    assert graph.popularity is not None
    nothing = (users.lengths == 0) & ((users.user_idx < 0) | (not graph.attributes))
    return np.where(nothing[:, None], graph.popularity, vectors @ graph.items.numpy().T)
