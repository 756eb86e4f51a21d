import numpy as np
import pytest

from omniretail.models.stores.baselines import LastStore, MostFrequentStore, PopularStore, TimeOfWeekStore, decayed
from tests.models.stores.factories import asked_of, log_of

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
ASKED = asked_of(WHO)


def told(model, timed: bool = False) -> list[int]:
    return model.fit(LOG).score(ASKED, timed).argmax(axis=1).tolist()


def test_the_popular_store_is_everybodys() -> None:
    assert told(PopularStore(28)) == [2] * 5  # four visits, before three to 1 and 3
    assert told(PopularStore(4)) == [1] * 5
    shares = PopularStore(28).fit(LOG).popularity_
    assert shares.sum() < 1
    assert shares[0] > shares[4] == 0


def test_the_last_store_then_the_one_before() -> None:
    assert told(LastStore()) == [2, 0, 3, 3, 2]
    order = np.argsort(-LastStore().fit(LOG).score(ASKED, timed=False)[1], kind="stable")
    assert order[:3].tolist() == [0, 1, 2]


def test_the_most_frequent_store_and_how_it_fades() -> None:
    assert told(MostFrequentStore()) == [2, 2, 2, 2, 2]
    assert told(MostFrequentStore(half_life_days=14))[1] == 1
    assert told(MostFrequentStore(half_life_days=0.1))[1] == 0
    own = MostFrequentStore(half_life_days=0.01).fit(LOG).score(ASKED, timed=False)[1]
    assert own[2] > own[3], "a store long left still comes before one never visited"


def test_the_usual_store_at_this_hour() -> None:
    assert told(TimeOfWeekStore(), timed=True)[2:4] == [2, 3]
    assert told(TimeOfWeekStore(), timed=False) == told(MostFrequentStore())
    assert told(TimeOfWeekStore(), timed=True)[-1] == 2, "who is not known goes where most go"


@pytest.mark.parametrize("model", [PopularStore(), LastStore(), MostFrequentStore(), TimeOfWeekStore()])
def test_a_batch_is_told_as_its_customers_are_alone(model) -> None:
    model.fit(LOG)
    alone = [model.score(ASKED.keep(np.array([number])), True) for number in range(len(ASKED))]
    np.testing.assert_array_equal(np.concatenate(alone), model.score(ASKED, True))
    assert model.score(ASKED.keep(np.array([], dtype=int)), True).shape == (0, 5)


@pytest.mark.parametrize("model", [PopularStore(), LastStore(), MostFrequentStore(), TimeOfWeekStore()])
def test_a_store_never_visited_and_an_empty_log(model) -> None:
    scores = model.fit(LOG).score(ASKED, True)
    assert np.isfinite(scores).all()
    assert (scores[:, 4] == scores.min(axis=1)).all()
    assert np.isfinite(model.fit(log_of([], 3, 5)).score(ASKED, True)).all()


def test_visits_fade_by_half() -> None:
    assert decayed(log_of([(0, 20, 0), (0, 10, 0), (0, 0, 0)], 1, 1), 10).tolist() == [0.25, 0.5, 1]
    with pytest.raises(ValueError, match="half_life_days=0 must be above 0, or null for visits that do not fade"):
        decayed(LOG, 0)
