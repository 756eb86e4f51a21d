from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.stores.candidates import HALF_LIVES, store_candidates
from omniretail.models.stores.time_features import clock_features
from omniretail.views.stores.visit_log import DAY, StoreLog
from omniretail.views.stores.visits import Visits
from tests.models.stores.factories import AT, asked_of, log_of, placed, street

SHARES = len(HALF_LIVES)
DAYS, AGO, RETURNS, ALIKE, AFTER, KM = SHARES + 1, SHARES + 2, SHARES + 3, SHARES + 4, SHARES + 5, SHARES + 9


def shaken(log: StoreLog, after: int) -> StoreLog:
    """The same log, with everything from a moment on drawn anew."""
    rng, later = np.random.default_rng(9), log.visits.timestamp >= after
    store = np.where(later, rng.integers(log.n_stores, size=len(later)), log.visits.store)
    return replace(log, visits=Visits(log.visits.row, store, log.visits.timestamp))


def test_features_are_bit_identical_whatever_happens_after_the_moment() -> None:
    log, _ = street(n_users=30)
    moment = AT - 28 * DAY
    other = shaken(log, moment)
    assert (other.visits.store != log.visits.store).any()
    before, same = store_candidates(log.before(moment), 4), store_candidates(other.before(moment), 4)
    for one, two in zip(vars(before).values(), vars(same).values(), strict=True):
        np.testing.assert_array_equal(one, two)
    asked = log.visit_queries(moment, AT)
    where = replace(asked, visits=other.visit_queries(moment, AT).visits)  # other stores, the same moments
    cases = ((log, before, asked), (other, same, where))
    clocks = [clock_features(each.before(moment), told, ask) for each, told, ask in cases]
    np.testing.assert_array_equal(*clocks)
    assert (store_candidates(log, 4).features != store_candidates(other, 4).features).any(), (
        "what lies before the moment is looked at"
    )


def test_candidates_are_ones_own_stores_then_those_of_like_customers() -> None:
    visits = [(0, 9, 3), (0, 8, 3), (0, 2, 1)]  # own
    visits += [(user, ago, store) for user in (1, 2) for ago, store in ((9, 3), (5, 4))]  # who go to 3 go to 4
    visits += [(user, ago, 0) for user in range(3, 9) for ago in (1, 2, 3)]  # the popular one
    told = store_candidates(log_of(visits, n_users=10, n_stores=6), k=4)
    assert told.store[0].tolist() == [3, 1, 4, 0]
    assert told.store[9, 0] == 0
    assert told.store[-1].tolist() == told.store[9].tolist(), "nobody is like somebody who never came"
    assert all(len(set(row)) == 4 for row in told.store.tolist())
    assert told.column[:3].tolist() == [0, 0, 1]
    assert store_candidates(log_of(visits, 10, 6), k=99).store.shape == (11, 6)


def test_features_worked_by_hand() -> None:
    log = log_of([(0, 28, 1), (0, 14, 0), (0, 7, 0), (0, 3, 1)], n_users=1, n_stores=3)
    told = store_candidates(log, k=3)
    by_store = dict(zip(told.store[0].tolist(), told.features[0], strict=True))
    week = 0.5 ** (np.array([28, 14, 7, 3]) / 7)
    assert by_store[0][0] == pytest.approx((week[1] + week[2]) / week.sum())
    assert by_store[0][SHARES - 1] == pytest.approx(0.5)
    assert [by_store[store][DAYS] for store in (0, 1, 2)] == pytest.approx(np.log1p([7, 3, 400]))
    assert [by_store[store][AGO] for store in (0, 1, 2)] == pytest.approx(np.log([2, 1, 1000]))
    assert by_store[0][RETURNS] > by_store[0][2], "after store 1 came store 0"
    assert by_store[0][AFTER] > by_store[2][AFTER]
    assert np.isnan(by_store[0][KM])


def test_how_far_a_store_is() -> None:
    log = placed(log_of([(0, 1, 0), (1, 1, 0)], n_users=2, n_stores=3))
    told = store_candidates(log, k=3)
    assert told.features[0, :, KM].tolist() == told.store[0].tolist(), "store n lies n km away"
    assert np.isnan(told.features[1:, :, KM]).all(), "the last customer's home is not known"


def test_blocks_of_customers_change_nothing(monkeypatch) -> None:
    log, _ = street(n_users=25)
    whole = store_candidates(log, 4)
    monkeypatch.setattr("omniretail.models.stores.candidates._BLOCK_CELLS", 6 * 4)
    parts = store_candidates(log, 4)
    np.testing.assert_array_equal(whole.store, parts.store)
    np.testing.assert_array_equal(whole.features, parts.features)


def test_a_log_without_visits_is_a_town_of_strangers() -> None:
    told = store_candidates(log_of([], n_users=2, n_stores=3), k=2)
    assert told.store.shape == (3, 2)
    assert (np.isfinite(told.features) | np.isnan(told.features)).all()
    assert np.isfinite(np.delete(told.features, KM, axis=2)).all()


def test_mornings_point_to_the_mornings_store() -> None:
    visits = [(0, day - 9 / 24, 0) for day in range(1, 30)] + [(0, day - 19 / 24, 1) for day in range(1, 30)]
    log = log_of(visits, n_users=1, n_stores=3)
    told = store_candidates(log, k=3)
    asked = asked_of([(0, 1 + 9 / 24, 0), (0, 1 + 19 / 24, 1), (-1, 1.5, 0)])
    features = clock_features(log, told, asked)
    column = [told.store[0].tolist().index(store) for store in (0, 1)]
    near = features[:, :, 0]
    assert near[1, column[0]] > 0.8 > 0.2 > near[1, column[1]]
    assert near[2, column[1]] > 0.8
    assert near[0].sum() == pytest.approx(0), "nothing is usual for who is not known"
    assert features[:, 0, -1] == pytest.approx([1.5, 1 + 9 / 24, 1 + 19 / 24])
    assert np.isfinite(features).all()
