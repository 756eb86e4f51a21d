import numpy as np
import pytest

from omniretail.models.stores.decayed_visits import visit_weights
from omniretail.models.stores.last import LastStore
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.models.stores.popular import PopularStore
from omniretail.models.stores.time_of_week import TimeOfWeekStore
from tests.models.stores.factories import log_of, queries_of

# customer 0: long at store 2, of late at 1, last at 0; 1: at 2 in the morning, at 3 in the evening; 2: nowhere
VISITS = [
    *((0, 100 + day, 2) for day in range(5)),
    *((0, 3 + day, 1) for day in range(3)),
    (0, 1, 0),
    *((1, 7 * week - 8 / 24, 2) for week in range(1, 5)),
    *((1, 7 * week - 20 / 24, 3) for week in range(1, 4)),
]
LOG = log_of(VISITS, n_users=3, n_stores=5)
WHO = [(-1, 1, 0), (0, 1, 0), (1, 7 + 8 / 24, 2), (1, 7 + 20 / 24, 3), (2, 1, 0)]
QUERIES = queries_of(WHO)


def best(model, timed: bool = False) -> list[int]:
    return model.fit(LOG).score(QUERIES, timed).argmax(axis=1).tolist()


def test_the_popular_store_is_that_of_everybody() -> None:
    assert best(PopularStore(28)) == [2] * 5  # four visits, before three to 1 and 3
    assert best(PopularStore(4)) == [1] * 5
    shares = PopularStore(28).fit(LOG).popularity_
    assert shares.sum() < 1
    assert shares[0] > shares[4] == 0


def test_the_last_store_then_the_one_before() -> None:
    assert best(LastStore()) == [2, 0, 3, 3, 2]
    order = np.argsort(-LastStore().fit(LOG).score(QUERIES, timed=False)[1], kind="stable")
    assert order[:3].tolist() == [0, 1, 2]


def test_the_most_frequent_store_and_its_decay() -> None:
    assert best(MostFrequentStore()) == [2, 2, 2, 2, 2]
    assert best(MostFrequentStore(half_life_days=14))[1] == 1
    assert best(MostFrequentStore(half_life_days=0.1))[1] == 0
    own = MostFrequentStore(half_life_days=0.01).fit(LOG).score(QUERIES, timed=False)[1]
    assert own[2] > own[3], "a store left long ago still ranks above one never visited"


def test_the_store_at_this_time_of_the_week() -> None:
    assert best(TimeOfWeekStore(half_life_days=None), timed=True)[2:4] == [2, 3]
    assert best(TimeOfWeekStore(half_life_days=None), timed=False) == best(MostFrequentStore())
    assert best(TimeOfWeekStore(half_life_days=None), timed=True)[-1] == 2, "an unknown customer goes where most go"


@pytest.mark.parametrize("model", [PopularStore(), LastStore(), MostFrequentStore(), TimeOfWeekStore()])
def test_a_store_never_visited_ranks_last(model) -> None:
    scores = model.fit(LOG).score(QUERIES, True)
    assert (scores[:, 4] == scores.min(axis=1)).all()


def test_a_visit_weighs_half_after_the_half_life() -> None:
    assert visit_weights(log_of([(0, 20, 0), (0, 10, 0), (0, 0, 0)], 1, 1), 10).tolist() == [0.25, 0.5, 1]
