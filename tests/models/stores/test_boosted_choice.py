from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.stores.baselines import LastStore, MostFrequentStore
from omniretail.models.stores.boosted_choice import BoostedChoice
from omniretail.models.stores.visit_probability import VisitProbability, visited
from omniretail.o2o.stores.evaluate import per_customer
from omniretail.schema import DataError
from omniretail.views.stores.visit_log import DAY
from omniretail.views.stores.visits import Visits
from tests.models.stores.factories import AT, asked_of, log_of, placed, street

LOG, ASKED = street()
SMALL = {"trees": 40, "learning_rate": 0.3, "l2": 0.1, "n_windows": 3, "candidates": 5, "min_rows": 20}
FITTED = BoostedChoice(**SMALL).fit(LOG)
EMPTY = np.array([], dtype=int)


def mrr(model, timed: bool) -> float:
    return per_customer(model.score(ASKED, timed), ASKED).mrr.mean()


def test_it_beats_the_rules_where_hours_matter() -> None:
    rules = [LastStore().fit(LOG), MostFrequentStore(28).fit(LOG)]
    best = max(mrr(rule, timed=False) for rule in rules)
    assert mrr(FITTED, timed=False) > best - 0.02
    assert mrr(FITTED, timed=True) > best + 0.1


@pytest.mark.parametrize("timed", [False, True])
def test_chances_are_chances(timed) -> None:
    chances = FITTED.score(ASKED, timed)
    assert chances.shape == (len(ASKED), 6)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert (chances > 0).all()
    right = chances[np.arange(len(ASKED)), ASKED.visits.store]
    top = chances.max(axis=1)
    hit = chances.argmax(axis=1) == ASKED.visits.store
    assert abs(top.mean() - hit.mean()) < 0.1, "and about as likely as they say"
    assert -np.log(right).mean() < np.log(6)


def test_the_same_seed_tells_the_same_and_what_follows_the_moment_nothing() -> None:
    made = vars(LOG.visits).values()
    later = Visits(*(np.append(one, two) for one, two in zip(made, (119, 0, AT + DAY), strict=True)))
    other = BoostedChoice(**SMALL).fit(replace(LOG, visits=later).before(AT))
    np.testing.assert_array_equal(other.score(ASKED, True), FITTED.score(ASKED, True))


def test_where_the_truth_lies_is_not_looked_at() -> None:
    hidden = replace(ASKED, visits=replace(ASKED.visits, store=np.full(len(ASKED), -1)))
    for timed in (False, True):
        np.testing.assert_array_equal(FITTED.score(hidden, timed), FITTED.score(ASKED, timed))
    moved = replace(ASKED, visits=replace(ASKED.visits, timestamp=ASKED.visits.timestamp + 7200))
    np.testing.assert_array_equal(FITTED.score(moved, False), FITTED.score(ASKED, False))
    assert (FITTED.score(moved, True) != FITTED.score(ASKED, True)).any()


def test_a_batch_is_told_as_its_customers_are_alone(monkeypatch) -> None:
    few = ASKED.keep(np.arange(0, 40, 5))
    alone = [FITTED.score(few.keep(np.array([number])), True) for number in range(len(few))]
    np.testing.assert_allclose(np.concatenate(alone), FITTED.score(few, True), rtol=1e-5)
    monkeypatch.setattr("omniretail.models.stores.boosted_choice._BLOCK", 3)
    np.testing.assert_allclose(FITTED.score(few, True), np.concatenate(alone), rtol=1e-5)
    assert FITTED.score(ASKED.keep(EMPTY), True).shape == (0, 6)


def test_strangers_and_stores_never_visited() -> None:
    log = replace(LOG, n_stores=8)  # two more, in which nobody has been
    model = BoostedChoice(**SMALL).fit(log)
    chances = model.score(asked_of([(-1, 1, 7), (0, 1, 0)]), True)
    assert np.isfinite(chances).all()
    assert (chances[1, 6:] < 1e-3).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)


def test_everybody_goes_to_one_store() -> None:
    log = log_of([(user, ago, 0) for user in range(9) for ago in range(1, 90, 3)], n_users=9, n_stores=1)
    assert BoostedChoice(n_windows=2).fit(log).score(asked_of([(0, 1, 0), (-1, 1, 0)]), True).tolist() == [[1], [1]]


def test_distance_is_learned_where_it_is_known() -> None:
    near = [(user, ago, int(ago % 2)) for user in range(60) for ago in range(1, 120, 5)]
    log = placed(log_of(near, n_users=61, n_stores=5))
    assert np.isfinite(BoostedChoice(**SMALL).fit(log).score(asked_of([(60, 1, 0)]), False)).all()


def test_no_more_visits_are_learned_than_asked_for() -> None:
    chances = BoostedChoice(**SMALL, max_visits=60).fit(LOG).score(ASKED, False)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("model", [BoostedChoice(), VisitProbability()])
def test_a_short_log_is_refused(model) -> None:
    with pytest.raises(DataError, match="no window of 28 days has visits in it and before it; choose a smaller model"):
        model.fit(log_of([(0, 3, 0), (0, 2, 1)], n_users=1, n_stores=2))
    with pytest.raises(DataError, match="no window of 28 days"):
        model.fit(log_of([], n_users=1, n_stores=2))


def test_who_will_come_at_all() -> None:
    model = VisitProbability(trees=40, n_windows=3, candidates=6, min_rows=20).fit(LOG)
    chances, went = model.chances_.toarray(), visited(ASKED, LOG.n_users, LOG.n_stores)
    assert chances.shape == went.shape
    assert ((chances >= 0) & (chances <= 1)).all()
    assert chances.sum() == pytest.approx(went.sum(), rel=0.12), "as many as told"
    assert chances[went].mean() > 2 * chances[~went].mean()


def test_where_all_went_alike_there_is_nothing_to_tell_apart() -> None:
    log = log_of([(user, ago, 0) for user in range(9) for ago in range(1, 90, 3)], n_users=9, n_stores=1)
    with pytest.raises(DataError, match="every customer went to every candidate store, or to none"):
        VisitProbability(n_windows=2).fit(log)


def test_only_known_pairs_are_visited() -> None:
    asked = asked_of([(-1, 1, 0), (0, 1, -1), (1, 1, 1), (1, 2, 1)])
    assert visited(asked, 2, 2).tolist() == [[False, False], [False, True]]
