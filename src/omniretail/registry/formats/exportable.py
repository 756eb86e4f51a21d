"""Fitted neural models as networks that can be exported: plain arrays in, scores or vectors out.

Networks are built from a model's settings and weights, so nothing of its training (compiled parts, events) is exported.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from omniretail.core.errors import SettingsError
from omniretail.models.profiles.coles import CoLES, CoLESNetwork
from omniretail.models.profiles.gru_autoencoder import GRUAutoencoder, GRUAutoencoderNetwork
from omniretail.models.profiles.next_item import NextItem
from omniretail.models.recommenders.gru4rec import GRU4Rec
from omniretail.models.recommenders.lightgcn import LightGCN
from omniretail.models.recommenders.mult_vae import MultVAE, MultVAENetwork
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.models.recommenders.two_tower_network import TwoTowerNetwork
from omniretail.models.sequential import SequenceNetwork
from omniretail.models.training.networks import with_weights
from omniretail.nn.repeats import OwnItems
from omniretail.nn.towers import unit
from omniretail.registry.formats.onnx_networks import (
    Inputs,
    LastState,
    LightGCNVectors,
    MultVAEVectors,
    TowerVectors,
)
from omniretail.registry.formats.onnx_profile_networks import BasketStates, PooledStates
from omniretail.serving.onnx_inputs import Layout
from omniretail.views.profile.basket_events import EventCoding

_BASKETS = ("place", "length", "line_code", "line_basket", "number", "basket_circumstance")
_OLDEST = 1 << 11
"""Number of baskets ago beyond which ``OwnItems`` has one weight."""


@dataclass(frozen=True)
class Graph:
    """A fitted model whose users are vectors.

    Attributes:
        vectors: from inputs to vectors, (B, D); zero for a user without a history, except in TwoTower.
        inputs: their names.
        layout: of the inputs.
        n_items: I.
        n_users: of the training, where it reads ``user``; else 0.
        items: vectors of items, (I, D); None: the model has vectors of users alone.
        popularity: the scores of a user without a history, (I,).
        own_items: a bonus added to the product.
        attributes: whether a training user without a history has scores by attributes.
    """

    vectors: nn.Module
    inputs: tuple[str, ...]
    layout: Layout
    n_items: int
    n_users: int = 0
    items: Tensor | None = None
    popularity: np.ndarray | None = None
    own_items: OwnItems | None = None
    attributes: bool = False


def graph_of(model: object) -> Graph | None:
    """The graph of a model; None where it is no such network.

    Raises:
        SettingsError: where it is not fitted, or reads what cannot be an input.
    """
    if not any(attribute.endswith("_") for attribute in vars(model)):
        raise ValueError(f"{type(model).__name__} has learned nothing yet; fit it before exporting")
    return _recommender(model) or _encoder(model)


def _recommender(model: object) -> Graph | None:
    if isinstance(model, SASRec | GRU4Rec):
        return _sequence(model)
    if isinstance(model, MultVAE):
        network = MultVAEVectors(with_weights(MultVAENetwork(len(model.popularity_), model), model.weights_))
        inputs, layout = ("taken", "row", "weight", "length"), Layout("items", weighting=model.weighting)
        return Graph(network, inputs, layout, len(model.popularity_), items=network.items, popularity=model.popularity_)
    if isinstance(model, LightGCN):
        return Graph(
            LightGCNVectors(model.user_factors_, model.fold_in_),
            ("taken", "row", "length", "user"),
            Layout("items"),
            *(len(model.item_factors_), len(model.user_factors_)),
            items=torch.from_numpy(model.item_factors_),
            popularity=model.popularity_,
        )
    return _two_tower(model) if isinstance(model, TwoTower) else None


def _encoder(model: object) -> Graph | None:
    if isinstance(model, NextItem):
        inputs = ("item", "length", *(["circumstance"] if model.context else []))
        return Graph(
            PooledStates(model), inputs, Layout("sequences", model.max_len, model.context), int(model.n_items_)
        )
    if isinstance(model, CoLES):
        read, task = model.read_len, CoLESNetwork(EventCoding.from_arrays(model.coding_), model)
        network = BasketStates(with_weights(task, model.weights_), model.pooling, unit)
    elif isinstance(model, GRUAutoencoder):
        read, task = model.max_len, GRUAutoencoderNetwork(EventCoding.from_arrays(model.coding_), model)
        network = BasketStates(with_weights(task, model.weights_), "last", task.bottleneck)
    else:
        return None
    return Graph(network, _BASKETS, Layout("baskets", read), len(model.coding_["item_codes"]))


def _sequence(model: SASRec | GRU4Rec) -> Graph:
    n_items = len(model.popularity_)
    task: SequenceNetwork = with_weights(model.network(n_items), model.weights_)
    inputs = ("item", "length", *(["circumstance"] if model.context else []))
    with torch.no_grad():
        _, items = task._comparable(torch.zeros(1, task.encoder.items.embedding_dim))
    return Graph(
        LastState(task),
        (*inputs, "baskets_ago") if task.own_items else inputs,
        Layout("sequences", model.max_len, model.context),
        n_items,
        items=items.detach(),
        popularity=model.popularity_,
        own_items=task.own_items,
    )


def _two_tower(model: TwoTower) -> Graph:
    if getattr(model, "encoder", None) is not None:
        raise SettingsError("this TwoTower reads a profile that another model makes; ONNX is for one without encoder")
    task: TwoTowerNetwork = with_weights(model.network(), model.weights_)
    network = TowerVectors(task, torch.from_numpy(model.item_factors_))
    return Graph(
        network,
        ("item", "length", "user"),
        Layout("sequences", model.max_len),
        *(len(model.item_factors_), len(network.attributes) - 1),
        items=network.items,
        popularity=model.popularity_,
        attributes=True,
    )


class Scores(nn.Module):
    """Scores of the catalogue, (B, I), as the model's own ``score`` gives them."""

    items: Tensor
    popularity: Tensor
    weight_of_age: Tensor

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        assert graph.items is not None
        assert graph.popularity is not None
        self.vectors, self.own_items, self.attributes = graph.vectors, graph.own_items, graph.attributes
        self.register_buffer("items", graph.items)
        self.register_buffer("popularity", torch.from_numpy(graph.popularity))
        if graph.own_items is not None:
            with torch.no_grad():  # a table, since ONNX's logarithm may land in the age before
                self.register_buffer("weight_of_age", graph.own_items.weights(torch.arange(_OLDEST)))

    def forward(self, inputs: Inputs) -> Tensor:
        """See the class."""
        scores = self.vectors(inputs) @ self.items.T
        if self.own_items is not None:
            ago = inputs["baskets_ago"]
            weight = self.weight_of_age[ago.clamp(0, _OLDEST - 1)] * (ago >= 0)
            total = torch.zeros_like(scores).scatter_add(1, inputs["item"], weight)
            scores = scores + self.own_items.bonus(total, torch.arange(scores.shape[1]))
        scored = inputs["length"] > 0
        if self.attributes:
            scored = scored | (inputs["user"] >= 0)
        return torch.where(scored[:, None], scores, self.popularity)
