import numpy as np
import pytest

from omniretail.ids import Vocabulary
from omniretail.models.stores.oracle import StoreOracle
from omniretail.sources.simulator.source import Simulate
from omniretail.views.stores.visit_log import StoreLog, VisitQueries
from omniretail.views.stores.visits import Visits

SOURCE = Simulate(n_customers=30, n_items=20, n_stores=20, n_weeks=6)
NONE = np.zeros(0, dtype=np.int64)


def test_scores_are_the_choices_of_the_simulator_for_customers_without_a_history_too() -> None:
    stores = Vocabulary.of([number for number in range(1, 21) if number != 4])  # store 4 has sold nothing yet
    log = StoreLog(Visits(NONE, NONE, NONE), 1, 19, at=9, zone="UTC", stores=stores)
    queries = VisitQueries(Visits(np.array([-1, 0]), np.array([0, 0]), np.array([5, 5])), np.array([7, 9]))
    scores, world = StoreOracle(SOURCE).fit(log).score(queries, timed=False), SOURCE.world()
    assert scores.shape == (2, 19)
    for row, customer in enumerate((6, 8)):
        for store, chance in zip(world.near[customer], world.pull[customer], strict=True):
            if store != 3:
                assert scores[row, stores.encode([store + 1])[0]] == pytest.approx(chance)
    assert (scores.sum(axis=1) <= 1 + 1e-6).all()


def test_a_source_without_a_known_truth_is_refused() -> None:
    with pytest.raises(ValueError, match=r"StoreOracle: source=.* must be the simulated retailer: set source=simulate"):
        StoreOracle(source="cdnow")
