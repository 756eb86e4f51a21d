import numpy as np
import torch

from omniretail.nn.graph import normalised_adjacency, propagated

N_USERS, N_ITEMS = 6, 8
PAIRS = np.unique(np.random.default_rng(0).integers(0, [[N_USERS - 1], [N_ITEMS - 1]], (2, 20)), axis=1)
"""The last user and the last item are in no pair."""


def graph() -> torch.Tensor:
    order = np.random.default_rng(1).permutation(PAIRS.shape[1])  # need not be sorted
    users, items = torch.from_numpy(PAIRS[:, order])
    return normalised_adjacency(users, items, N_USERS, N_ITEMS)


def dense() -> np.ndarray:
    taken = np.zeros((N_USERS, N_ITEMS))
    taken[PAIRS[0], PAIRS[1]] = 1
    whole = np.block([[np.zeros((N_USERS, N_USERS)), taken], [taken.T, np.zeros((N_ITEMS, N_ITEMS))]])
    scale = 1 / np.sqrt(np.maximum(whole.sum(1), 1))
    return scale[:, None] * whole * scale


def test_an_edge_weighs_one_over_the_root_of_both_degrees() -> None:
    users, items = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])
    adjacency = normalised_adjacency(users, items, 2, 2).to_dense()
    half = 1 / np.sqrt(2)
    expected = [[0, 0, half, 0.5], [0, 0, 0, half], [half, 0, 0, 0], [0.5, half, 0, 0]]
    np.testing.assert_allclose(adjacency, expected, atol=1e-7)


def test_adjacency_is_the_dense_one() -> None:
    np.testing.assert_allclose(graph().to_dense(), dense(), atol=1e-7)


def test_each_layer_is_a_product_with_the_adjacency() -> None:
    vectors = torch.randn(N_USERS + N_ITEMS, 3)
    layers = propagated(graph(), vectors, 3)
    assert len(layers) == 4
    for n, layer in enumerate(layers):
        np.testing.assert_allclose(layer, np.linalg.matrix_power(dense(), n) @ vectors.numpy(), atol=1e-5)


def test_gradients_are_those_of_dense_products() -> None:
    vectors = torch.randn(N_USERS + N_ITEMS, 3, requires_grad=True)
    weights = torch.randn(4, N_USERS + N_ITEMS, 3)  # each layer counts, each in its own way
    mine = torch.autograd.grad((torch.stack(propagated(graph(), vectors, 3)) * weights).sum(), vectors)[0]
    adjacency, layers = torch.from_numpy(dense()).float(), [vectors]
    for _ in range(3):
        layers.append(adjacency @ layers[-1])
    expected = torch.autograd.grad((torch.stack(layers) * weights).sum(), vectors)[0]
    torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-5)


def test_without_edges_layers_are_nought() -> None:
    none = torch.zeros(0, dtype=torch.int64)
    layers = propagated(normalised_adjacency(none, none, 1, 1), torch.ones(2, 3), 1)
    assert not layers[1].any()
