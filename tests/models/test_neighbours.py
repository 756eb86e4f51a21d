import numpy as np
from scipy import sparse

from omniretail.models.neighbours import nearest_users, similar_items
from omniretail.models.sparse_ops import dense_times_sparse


def test_items_that_share_no_user_are_no_neighbours() -> None:
    user_items = sparse.csr_array(np.array([[1, 1, 0], [0, 0, 1]], dtype=np.float32))
    assert similar_items(user_items, k=2).toarray().tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


def test_neighbours_that_tie_are_taken_by_index() -> None:
    user_items = sparse.csr_array(np.ones((2, 4), dtype=np.float32))
    assert similar_items(user_items, k=1).indices.tolist() == [1, 0, 0, 0]


def test_nobody_is_their_own_neighbour() -> None:
    similarity = np.array([[9, 2, 3], [9, 2, 3]], dtype=np.float32)
    nearest = nearest_users(similarity, user_idx=np.array([0, -1]), k=2)
    assert nearest.toarray().tolist() == [[0, 2, 3], [9, 0, 3]]


def test_fewer_users_than_neighbours_asked_for() -> None:
    assert nearest_users(np.array([[5.0, 1.0]], dtype=np.float32), np.array([0]), k=9).toarray().tolist() == [[0, 1]]


def test_dense_times_sparse_is_a_product() -> None:
    rng = np.random.default_rng(0)
    dense = rng.random((150, 30), dtype=np.float32)
    matrix = sparse.random_array((30, 40), density=0.2, rng=rng, dtype=np.float32).tocsr()
    product = dense_times_sparse(dense, matrix)
    np.testing.assert_allclose(product, dense @ matrix.toarray(), rtol=1e-5)
    assert product.flags.c_contiguous
