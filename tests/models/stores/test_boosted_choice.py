from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.stores import boosted_choice
from omniretail.models.stores.boosted_choice import BoostedChoice
from omniretail.models.stores.last import LastStore
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.o2o.stores.evaluate import per_customer
from omniretail.views.stores.visit_log import DAY, StoreLog
from omniretail.views.stores.visits import Visits
from tests.models.stores.factories import AT, log_of, placed, queries_of, street

LOG, QUERIES = street()
SMALL = {
    "n_estimators": 40,
    "learning_rate": 0.3,
    "reg_lambda": 0.1,
    "n_windows": 3,
    "candidates": 5,
    "min_child_samples": 20,
}
FITTED = BoostedChoice(**SMALL).fit(LOG)


def mrr(model, timed: bool) -> float:
    return per_customer(model.score(QUERIES, timed), QUERIES).mrr.mean()


def test_it_beats_the_rules_where_hours_matter() -> None:
    rules = [LastStore().fit(LOG), MostFrequentStore(28).fit(LOG)]
    best = max(mrr(rule, timed=False) for rule in rules)
    assert mrr(FITTED, timed=False) > best - 0.02
    assert mrr(FITTED, timed=True) > best + 0.1


@pytest.mark.parametrize("timed", [False, True])
def test_scores_are_calibrated_chances(timed) -> None:
    chances = FITTED.score(QUERIES, timed)
    assert chances.shape == (len(QUERIES), 6)
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)
    assert (chances > 0).all()
    right = chances[np.arange(len(QUERIES)), QUERIES.visits.store]
    top = chances.max(axis=1)
    hit = chances.argmax(axis=1) == QUERIES.visits.store
    assert abs(top.mean() - hit.mean()) < 0.1
    assert -np.log(right).mean() < np.log(6)


def test_what_follows_the_cutoff_changes_nothing() -> None:
    visits = vars(LOG.visits).values()
    later = Visits(*(np.append(one, two) for one, two in zip(visits, (119, 0, AT + DAY), strict=True)))
    other = BoostedChoice(**SMALL).fit(replace(LOG, visits=later).before(AT))
    np.testing.assert_array_equal(other.score(QUERIES, True), FITTED.score(QUERIES, True))


def test_the_store_of_a_query_is_not_read_and_its_time_only_where_it_is_known() -> None:
    hidden = replace(QUERIES, visits=replace(QUERIES.visits, store=np.full(len(QUERIES), -1)))
    for timed in (False, True):
        np.testing.assert_array_equal(FITTED.score(hidden, timed), FITTED.score(QUERIES, timed))
    moved = replace(QUERIES, visits=replace(QUERIES.visits, timestamp=QUERIES.visits.timestamp + 7200))
    np.testing.assert_array_equal(FITTED.score(moved, False), FITTED.score(QUERIES, False))
    assert (FITTED.score(moved, True) != FITTED.score(QUERIES, True)).any()


def test_blocks_of_queries_change_nothing(monkeypatch) -> None:
    few = QUERIES.keep(np.arange(0, 40, 5))
    whole = FITTED.score(few, True)
    monkeypatch.setattr(boosted_choice, "_BLOCK", 3)
    np.testing.assert_allclose(FITTED.score(few, True), whole, rtol=1e-5)


def test_unknown_customers_and_stores_never_visited() -> None:
    log = replace(LOG, n_stores=8)  # two more, in which nobody has been
    model = BoostedChoice(**SMALL).fit(log)
    chances = model.score(queries_of([(-1, 1, 7), (0, 1, 0)]), True)
    assert np.isfinite(chances).all()
    assert (chances[1, 6:] < 1e-3).all()
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-5)


def test_everybody_goes_to_one_store() -> None:
    log = log_of([(user, ago, 0) for user in range(9) for ago in range(1, 90, 3)], n_users=9, n_stores=1)
    assert BoostedChoice(n_windows=2).fit(log).score(queries_of([(0, 1, 0), (-1, 1, 0)]), True).tolist() == [[1], [1]]


def newcomers(n_users: int = 300, n_stores: int = 5, n_new: int = 30) -> tuple[StoreLog, np.ndarray]:
    """Customers start on different days and go to the store next door; the last ones have yet to come."""
    rng = np.random.default_rng(1)
    home = rng.integers(n_stores, size=n_users)
    first = rng.integers(1, 120, n_users)
    visits = [
        (user, ago, int(home[user])) for user in range(n_users - n_new) for ago in range(1, int(first[user]) + 1, 6)
    ]
    log = placed(log_of(visits, n_users, n_stores))
    assert log.places is not None
    return replace(log, places=replace(log.places, home=log.places.store[home])), home


def test_distance_is_learned_where_it_is_known() -> None:
    log, home = newcomers()
    new = np.arange(270, 300)
    queries = queries_of([(user, 1, 0) for user in new.tolist()])
    with_places = BoostedChoice(**SMALL).fit(log).score(queries, False)
    assert np.mean(with_places.argmax(axis=1) == home[new]) > 0.9
    without = BoostedChoice(**SMALL).fit(replace(log, places=None)).score(queries, False)
    assert np.ptp(without, axis=0).max() == 0, "nothing else tells customers without a visit apart"


def test_no_more_visits_are_learned_than_max_visits(monkeypatch) -> None:
    rows = []

    def trained_text(params, x, y, n_estimators):
        rows.append(len(x))
        return real(params, x, y, n_estimators)

    real = boosted_choice.trained_text
    monkeypatch.setattr(boosted_choice, "trained_text", trained_text)
    few = BoostedChoice(**SMALL, max_visits=60).fit(LOG).score(QUERIES, False)
    assert all(0 < n <= 60 * 5 for n in rows), "five candidates a visit"
    assert len(rows) == 2
    BoostedChoice(**SMALL).fit(LOG)
    assert min(rows[2:]) > 1000 * 5
    assert (few != FITTED.score(QUERIES, False)).any()
