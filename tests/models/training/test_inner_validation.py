"""What is held out where there are no baskets to hold out."""

import numpy as np
import pytest

from omniretail.models.recommenders.lightgcn import LightGCN
from omniretail.models.training import Training
from omniretail.models.training.inner_validation import hold_out
from omniretail.views.histories import Histories
from tests.models.factories import train_on


def test_a_tenth_of_each_users_events_where_nobody_has_two_baskets() -> None:
    histories = Histories.of([[list(range(30))], [[5, 6]], [[7]], []], n_items=30)
    learned, inner = hold_out(histories, 99, seed=0)
    assert learned.lengths.tolist() == [27, 1, 1, 0]
    assert np.diff(inner.held_out.indptr).tolist() == [3, 1]
    for user in (0, 1):
        held = inner.held_out[[user]].indices
        left = inner.users.take([user]).item_idx
        assert sorted([*held, *left]) == sorted(histories.take([user]).item_idx)


def test_the_seed_draws_them() -> None:
    histories = Histories.of([[list(range(30))]] * 5, n_items=30)
    first, again, other = (hold_out(histories, 99, seed)[0].item_idx.tolist() for seed in (0, 0, 1))
    assert first == again != other


def test_where_nobody_has_two_events_there_is_nothing_to_validate_on() -> None:
    with pytest.raises(ValueError, match=r"no user has two events.*set trainer.patience=0"):
        LightGCN(training=Training(patience=1)).fit(train_on([[[0]], [[1]]], n_items=2))
