"""Neural models as ONNX files, compared with the model before they are used."""

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from omniretail.core.errors import SettingsError
from omniretail.registry.formats.exportable import Graph, Scores, graph_of
from omniretail.registry.formats.onnx_check import check_onnx, random_histories
from omniretail.registry.formats.onnx_networks import with_onnx_gru
from omniretail.serving.onnx_inputs import INPUTS, laid_out
from omniretail.serving.onnx_runtime import ABOUT, CODING, About, Output
from omniretail.views.profile.basket_events import EventCoding

NETWORKS = "SASRec, GRU4Rec, MultVAE, LightGCN, TwoTower; CoLES, GRUAutoencoder, NextItem"
log = logging.getLogger(__name__)

TOLERANCE = 1e-4
"""Largest accepted difference from the model's own numbers, relative to the largest of a user's."""

_IN_ONE_FILE = 1 << 30  # bytes of weights; a protobuf holds two GiB at most
_VERBOSE_LOGGERS = (
    "torch.onnx",
    "torch.onnx._internal.exporter._registration",
    "onnx_ir",
    "onnx_ir._convenience",
    "onnxscript",
)
_HARMLESS = "`isinstance\\(treespec, LeafSpec\\)` is deprecated"  # by torch 2.13, of its own call


def to_onnx(model: Any, folder: Path, output: Output = "scores") -> Path:
    """Write a neural model as an ONNX file for ``serving.onnx_runtime``; the numbers of users and of events are free.

    The file's metadata, under ``omniretail``, describes its inputs. Weights beyond a GiB are in a file beside it.

    Args:
        model: fitted SASRec, GRU4Rec, MultVAE, LightGCN or TwoTower; or CoLES, GRUAutoencoder or NextItem, which give
            vectors whatever ``output`` says.
        folder: made where it is not there.
        output: scores of the catalogue, or vectors to be multiplied with ``item_embeddings``, for an index.

    Returns:
        The file, ``scores.onnx`` or ``vectors.onnx``.

    Raises:
        SettingsError: where the model is no such network or is not fitted, or the file gives other values than it;
            then there is no file.
    """
    graph = graph_of(model)
    if graph is None:
        raise SettingsError(f"{type(model).__name__} is none of the networks that can be written as ONNX: {NETWORKS}")
    if graph.items is None:
        output = "vectors"
    elif output == "vectors" and graph.own_items is not None:
        raise SettingsError("own_items=true adds a bonus to the product of vectors; export output='scores'")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{output}.onnx"
    network = with_onnx_gru(Scores(graph) if output == "scores" else graph.vectors).eval().requires_grad_(False)
    if graph.layout.kind == "baskets":
        np.savez(folder / CODING, allow_pickle=False, **model.coding_)
    _write(network, graph, model, output, path)
    difference = check_onnx(model, path, np.random.default_rng(0))
    if not difference <= TOLERANCE:  # NaN too
        path.unlink()
        path.with_name(f"{path.name}.data").unlink(missing_ok=True)
        raise SettingsError(
            f"{type(model).__name__} in ONNX differs from the model by {difference:.1e} of a user's largest number, "
            f"more than {TOLERANCE:.0e}; the file was removed"
        )
    log.info("%s: differs from the model by %.1e at most", path, difference)
    return path


def _write(network: torch.nn.Module, graph: Graph, model: Any, output: Output, path: Path) -> None:
    coding = EventCoding.from_arrays(model.coding_) if graph.layout.kind == "baskets" else None
    lengths = np.minimum([4, 2, 3], graph.layout.max_len or 4)
    users = random_histories(lengths, graph.n_items, graph.n_users, np.random.default_rng(0))
    arrays = laid_out(users, graph.layout, coding)
    example = {name: torch.from_numpy(arrays[name]) for name in graph.inputs}
    with torch.no_grad():
        width = network(example).shape[1]
    meanings = {name: f"[{', '.join(INPUTS[name][0])}] {INPUTS[name][1]}" for name in graph.inputs}
    about = About(type(model).__name__, output, width, graph.n_items, graph.n_users, graph.layout, meanings)
    with _quiet():
        captured = torch.export.export(
            network,
            (),
            {"inputs": example},
            dynamic_shapes={"inputs": {name: _free(name, example[name]) for name in graph.inputs}},
        )
        program = torch.onnx.export(
            captured, input_names=list(graph.inputs), output_names=[output], dynamo=True, verbose=False
        )
    assert program is not None
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()  # where in the code each came from
    program.model.metadata_props[ABOUT] = json.dumps(asdict(about))
    n_bytes = sum(part.nbytes for part in network.state_dict().values())
    program.save(path, external_data=n_bytes > _IN_ONE_FILE)


def _free(name: str, tensor: torch.Tensor) -> dict[int, Any]:
    """The axes of free length; those of length one in the example are fixed (``max_len=1``)."""
    return {
        number: torch.export.Dim(axis)
        for number, axis in enumerate(INPUTS[name][0])
        if axis.islower() and tensor.shape[number] > 1
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's own messages: that torchvision is missing, that an attribute has no elements."""
    loggers = [logging.getLogger(name) for name in _VERBOSE_LOGGERS]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", _HARMLESS, FutureWarning)
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
