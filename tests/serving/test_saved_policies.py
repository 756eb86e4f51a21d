"""A policy that is saved with a model gives the scores that it gave when it was fitted."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.policies.chain import Chain
from omniretail.policies.lists import CategoryCap, Exclude
from omniretail.policies.protocol import fitted
from omniretail.policies.seen import allow_seen, hide_seen
from omniretail.policies.store_limits import OpenAt, WithinDistance
from omniretail.policies.stores import AtStores, InStock, OwnStore, Sold
from omniretail.serving.policy_io import read_policy, write_policy
from tests.policies.factories import TOWN

PLACES = pd.DataFrame({"store_id": ["s0", "s1", "s2"], "x": [0.0, 3.0, 9.0], "y": [0.0, 4.0, 0.0]})
STOCK = pd.DataFrame({"store_id": ["s0", "s0", "s1"], "item_id": [0, 2, 3], "quantity": [4, 0, 1]})
HOURS = pd.DataFrame({"store_id": ["s0"], "weekday": [0], "opens": ["09:00"], "closes": ["18:00"]})
POLICIES = {
    "a function": hide_seen,
    "a partial": partial(allow_seen),
    "own store": Chain([AtStores([OwnStore()], [Sold(weeks=None)])], [partial(hide_seen)], "popular_at_store"),
    "distance and stock": Chain([AtStores([WithinDistance(6, PLACES)], [InStock(STOCK)])]),
    "hours and lists": Chain(
        [AtStores([OpenAt(HOURS)], [Sold()]), CategoryCap(1)], [Exclude([2], {"category": ["c0"]})]
    ),
}


@pytest.mark.parametrize("name", POLICIES)
def test_saved_and_read_it_decides_alike(name: str, tmp_path: Path) -> None:
    (policy,) = fitted([POLICIES[name]], TOWN)
    write_policy(policy, tmp_path)
    again = read_policy(tmp_path)
    scores = np.random.default_rng(0).random((5, 6), dtype=np.float32)
    np.testing.assert_array_equal(again(scores.copy(), TOWN.histories), policy(scores.copy(), TOWN.histories))
    assert not any(path.suffix not in (".json", ".npz") for path in tmp_path.iterdir())


def test_a_policy_from_elsewhere_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"is not of omniretail\.policies, so it cannot be saved"):
        write_policy(lambda scores, users: scores, tmp_path)
