import numpy as np
import pytest
import torch

from omniretail.models.recommenders.two_tower import TwoTower
from omniretail.nn.repeats import OwnItems
from omniretail.registry.formats.exportable import Scores, graph_of
from omniretail.registry.formats.onnx_check import random_histories
from omniretail.registry.formats.onnx_networks import Recurrent, reordered
from omniretail.serving.onnx_inputs import laid_out
from omniretail.views.histories import Histories
from omniretail.views.profile.basket_events import EventCoding
from tests.models.profiles.shop import KINDS
from tests.registry.fitted import ENCODERS, MODELS, N_ITEMS, NEW, SHOP, fitted

RECOMMENDERS = [name for name in MODELS if name not in (*ENCODERS, "iALS", "BPR")]


def output(name: str, users: Histories) -> np.ndarray:
    """What the network, not yet written to a file, gives: scores of a recommender, vectors of an encoder."""
    graph = graph_of(fitted(name))
    assert graph is not None
    coding = EventCoding.from_arrays(fitted(name).coding_) if graph.layout.kind == "baskets" else None
    arrays = laid_out(users, graph.layout, coding)
    network = graph.vectors if name in ENCODERS else Scores(graph)
    with torch.no_grad():
        return network.eval()({key: torch.from_numpy(arrays[key]) for key in graph.inputs}).numpy()


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_before_it_is_written_a_network_already_gives_the_models_scores(name: str) -> None:
    lengths = np.array([0, 1, 2, 6, 7, 30, 0])
    users = random_histories(lengths, N_ITEMS, len(SHOP.users), np.random.default_rng(3))
    np.testing.assert_allclose(output(name, users), fitted(name).score(users), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ENCODERS)
def test_and_an_encoders_vectors(name: str) -> None:
    for users in (NEW, KINDS.histories):
        np.testing.assert_allclose(output(name, users), fitted(name).embed(users, KINDS.at), rtol=1e-4, atol=1e-5)


def test_what_is_older_than_the_oldest_age_told_apart_weighs_like_it() -> None:
    own = OwnItems(n_items=1)
    own.age = torch.nn.Parameter(torch.arange(12.0))
    assert own.weights(torch.tensor([2047, 2048, 9999])).unique().numel() == 1
    assert own.weights(torch.tensor([1022, 1023])).unique().numel() == 2


def test_gates_are_in_onnxs_order() -> None:
    assert reordered(torch.tensor([1, 2, 3])).tolist() == [2, 1, 3]
    units = torch.nn.GRU(3, 2, num_layers=2, batch_first=True)
    assert Recurrent(units).input_1.shape == (1, 6, 2)  # type: ignore[union-attr]


def test_a_tower_that_reads_another_models_vectors_is_refused() -> None:
    model = TwoTower()
    model.popularity_, model.encoder = np.zeros(1), object()  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="this TwoTower reads a profile that another model makes"):
        graph_of(model)
