from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.stores.candidates import HALF_LIVES, store_candidates
from omniretail.models.stores.time_features import time_features
from omniretail.views.stores.visit_log import DAY, StoreLog
from omniretail.views.stores.visits import Visits
from tests.models.stores.factories import AT, log_of, placed, queries_of, street

SHARES = len(HALF_LIVES)
DAYS, AGO, RETURNS, SIMILARITY, AFTER, KM = SHARES + 1, SHARES + 2, SHARES + 3, SHARES + 4, SHARES + 5, SHARES + 9


def shaken(log: StoreLog, after: int) -> StoreLog:
    """The same log, with everything from a time on drawn anew."""
    rng, later = np.random.default_rng(9), log.visits.timestamp >= after
    store = np.where(later, rng.integers(log.n_stores, size=len(later)), log.visits.store)
    return replace(log, visits=Visits(log.visits.row, store, log.visits.timestamp))


def test_features_are_bit_identical_whatever_happens_after_the_cutoff() -> None:
    log, _ = street(n_users=30)
    cutoff = AT - 28 * DAY
    other = shaken(log, cutoff)
    assert (other.visits.store != log.visits.store).any()
    before, same = store_candidates(log.before(cutoff), 4), store_candidates(other.before(cutoff), 4)
    for one, two in zip(vars(before).values(), vars(same).values(), strict=True):
        np.testing.assert_array_equal(one, two)
    queries = log.visit_queries(cutoff, AT)
    where = replace(queries, visits=other.visit_queries(cutoff, AT).visits)  # other stores, the same times
    cases = ((log, before, queries), (other, same, where))
    features = [time_features(each.before(cutoff), candidates, asked) for each, candidates, asked in cases]
    np.testing.assert_array_equal(*features)
    assert (store_candidates(log, 4).features != store_candidates(other, 4).features).any(), (
        "what lies before the cutoff is read"
    )


def test_candidates_are_own_stores_then_those_of_similar_customers() -> None:
    visits = [(0, 9, 3), (0, 8, 3), (0, 2, 1)]  # own
    visits += [(user, ago, store) for user in (1, 2) for ago, store in ((9, 3), (5, 4))]  # who go to 3 go to 4
    visits += [(user, ago, 0) for user in range(3, 9) for ago in (1, 2, 3)]  # the popular one
    candidates = store_candidates(log_of(visits, n_users=10, n_stores=6), n_candidates=4)
    assert candidates.store[0].tolist() == [3, 1, 4, 0]
    assert candidates.store[9, 0] == 0
    assert candidates.store[-1].tolist() == candidates.store[9].tolist(), (
        "an unknown customer has the candidates of one without visits"
    )
    assert all(len(set(row)) == 4 for row in candidates.store.tolist())
    assert candidates.column[:3].tolist() == [0, 0, 1]
    assert store_candidates(log_of(visits, 10, 6), n_candidates=99).store.shape == (11, 6)


def test_features_worked_by_hand() -> None:
    log = log_of([(0, 28, 1), (0, 14, 0), (0, 7, 0), (0, 3, 1)], n_users=1, n_stores=3)
    candidates = store_candidates(log, n_candidates=3)
    by_store = dict(zip(candidates.store[0].tolist(), candidates.features[0], strict=True))
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
    candidates = store_candidates(log, n_candidates=3)
    assert candidates.features[0, :, KM].tolist() == candidates.store[0].tolist(), "store n lies n km away"
    assert np.isnan(candidates.features[1:, :, KM]).all(), "the last customer's home is unknown"


def test_blocks_of_customers_change_nothing(monkeypatch) -> None:
    log, _ = street(n_users=25)
    whole = store_candidates(log, 4)
    monkeypatch.setattr("omniretail.models.stores.candidates._BLOCK_CELLS", 6 * 4)
    parts = store_candidates(log, 4)
    np.testing.assert_array_equal(whole.store, parts.store)
    np.testing.assert_array_equal(whole.features, parts.features)


def test_a_log_without_visits() -> None:
    candidates = store_candidates(log_of([], n_users=2, n_stores=3), n_candidates=2)
    assert candidates.store.shape == (3, 2)
    assert (np.isfinite(candidates.features) | np.isnan(candidates.features)).all()
    assert np.isfinite(np.delete(candidates.features, KM, axis=2)).all()


def test_mornings_point_to_the_mornings_store() -> None:
    visits = [(0, day - 9 / 24, 0) for day in range(1, 30)] + [(0, day - 19 / 24, 1) for day in range(1, 30)]
    log = log_of(visits, n_users=1, n_stores=3)
    candidates = store_candidates(log, n_candidates=3)
    queries = queries_of([(0, 1 + 9 / 24, 0), (0, 1 + 19 / 24, 1), (-1, 1.5, 0)])
    features = time_features(log, candidates, queries)
    column = [candidates.store[0].tolist().index(store) for store in (0, 1)]
    near = features[:, :, 0]
    assert near[1, column[0]] > 0.8 > 0.2 > near[1, column[1]]
    assert near[2, column[1]] > 0.8
    assert near[0].sum() == pytest.approx(0), "an unknown customer has no habits"
    assert features[:, 0, -1] == pytest.approx([1.5, 1 + 9 / 24, 1 + 19 / 24])
    assert np.isfinite(features).all()
