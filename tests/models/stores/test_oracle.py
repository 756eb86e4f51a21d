import numpy as np
import pytest

from omniretail.ids import Vocabulary
from omniretail.models.stores.oracle import StoreOracle
from omniretail.sources.simulator.source import Simulate
from omniretail.views.stores.visit_log import VisitQueries
from omniretail.views.stores.visits import Visits

WORLD = Simulate(n_customers=30, n_items=20, n_stores=20, n_weeks=6).world()


def test_chances_are_those_of_the_world_and_known_of_strangers_too() -> None:
    stores = Vocabulary.of([number for number in range(1, 21) if number != 4])  # store 4 has sold nothing yet
    asked = VisitQueries(Visits(np.array([-1, 0]), np.array([0, 0]), np.array([5, 5])), np.array([7, 9]))
    chances = StoreOracle(WORLD, stores).score(asked, timed=False)
    assert chances.shape == (2, 19)
    for row, customer in enumerate((6, 8)):
        for store, chance in zip(WORLD.near[customer], WORLD.pull[customer], strict=True):
            if store != 3:
                assert chances[row, stores.encode([store + 1])[0]] == pytest.approx(chance)
    assert (chances.sum(axis=1) <= 1 + 1e-6).all()
