import numpy as np
import pandas as pd
import pytest

from omniretail.schema import DataError
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import fold
from omniretail.views.stores.visit_log import (
    DAY,
    VisitQueries,
    held_out_visits,
    load_stage,
    store_log,
    weekday_and_part,
)
from omniretail.views.stores.visits import Visits
from omniretail.views.train import Train
from tests.conftest import shop_events, tables_of
from tests.models.stores.factories import log_of, placed
from tests.policies.factories import AT, TOWN


def with_stores(seed: int = 0) -> pd.DataFrame:
    events = shop_events(seed=seed)
    return events.assign(store_id=[f"s{basket % 7}" for basket in events.basket_id])


def test_the_visits_of_a_training_set() -> None:
    log = store_log(TOWN)
    assert (log.n_users, log.n_stores, log.at, log.zone) == (5, 4, AT, "UTC")
    assert log.visits.store.tolist() == [1, 1, 1, 0, 0, 2, 1, 3]
    assert log.places is None


def test_what_was_known_earlier_and_what_was_to_come() -> None:
    log = store_log(TOWN)
    moment = AT - 8 * DAY
    assert log.before(moment).visits.store.tolist() == [1, 1, 1, 0, 3]
    assert log.visit_queries(moment, AT).visits.store.tolist() == [0, 2, 1]
    assert log.visit_queries(moment, AT).first().visits.store.tolist() == [0, 1]


def test_windows_end_at_the_moment_and_never_reach_into_each_other() -> None:
    log = log_of([(0, ago, 0) for ago in range(1, 60)], 1, 1)
    windows = list(log.windows(days=10, n=3, step_days=10))
    assert [(log.at - past.at) // DAY for past, _ in windows] == [10, 20, 30]
    for past, asked in windows:
        assert past.visits.timestamp.max() < past.at <= asked.visits.timestamp.min()
        assert asked.visits.timestamp.max() < past.at + 10 * DAY
    assert len(list(log.windows(days=50, n=3, step_days=50))) == 1, "windows without a past are left out"


def test_a_log_without_stores_or_without_a_clock_is_refused() -> None:
    nowhere = Train(TOWN.histories, TOWN.users, TOWN.items, TOWN.item_table, AT)
    with pytest.raises(DataError, match="this log has no store_id, so there are no stores to predict"):
        store_log(nowhere)
    order = Train(TOWN.histories, TOWN.users, TOWN.items, TOWN.item_table, AT, stores=TOWN.stores, zone="")
    with pytest.raises(DataError, match="this data has an order of events but no times"):
        store_log(order)


def test_held_out_visits_are_baskets_and_strangers_stay_apart() -> None:
    tables = tables_of(with_stores())
    cutoff = Temporal(20).cutoff(tables.events, "test")
    train = fold(tables, cutoff).train
    asked = held_out_visits(cutoff, train.users, train.stores)
    events = cutoff.held_out.to_pandas()
    assert len(asked) == events.basket_id.nunique()
    assert len(asked.first()) == events.user_id.nunique(), "also of customers who are not known"
    strangers = set(events.user_id) - set(train.users.ids)
    assert strangers
    assert set(asked.who[asked.visits.row < 0]) == strangers
    with pytest.raises(DataError, match="this log has no store_id, so no visit can be judged"):
        held_out_visits(Temporal(20).cutoff(tables_of(shop_events()).events, "test"), train.users, train.stores)


def test_a_window_in_which_no_store_is_known(tmp_path) -> None:
    events = with_stores()
    events.loc[events.timestamp >= "2024-04-10", "store_id"] = None
    with pytest.raises(DataError, match="no visit to a store is held out"):
        load_stage(tables_of(events), Temporal(20), "test", tmp_path)


def test_places_come_from_both_tables(tmp_path) -> None:
    homes = pd.DataFrame({"user_id": range(40), "x_km": 0.0, "y_km": 0.0})
    stores = pd.DataFrame({"store_id": [f"s{n}" for n in range(6)], "x_km": range(6), "y_km": 0.0})
    log, _, _ = load_stage(tables_of(with_stores(), users=homes, stores=stores), Temporal(20), "test", tmp_path)
    assert log.places is not None
    km = log.places.km(np.array([[0], [-1]]), np.arange(7)[None])
    np.testing.assert_allclose(km, [[0, 1, 2, 3, 4, 5, np.nan], [np.nan] * 7])


def test_who_is_not_known_lives_nowhere() -> None:
    places = placed(log_of([(0, 1, 0)], 2, 3)).places
    assert places is not None
    assert np.isnan(places.km(np.array([1, -1]), np.array([0, 0]))).all()


def test_hours_are_local() -> None:
    day, part = weekday_and_part(np.array([0, 4 * 3600, 23 * 3600]), "Etc/GMT+5")  # a Thursday, five hours behind
    assert day.tolist() == [2, 2, 3]
    assert part.tolist() == [3, 3, 3]


def test_the_first_of_nothing_is_nothing() -> None:
    empty = np.zeros(0, dtype=np.int64)
    assert len(VisitQueries(Visits(empty, empty, empty), empty).first()) == 0
