import numpy as np
import pandas as pd
import pytest

from omniretail.models.stores.last import LastStore
from omniretail.models.stores.popular import PopularStore
from omniretail.o2o.stores.evaluate import (
    ALL,
    NONE,
    ONE,
    QUESTIONS,
    SEVERAL,
    examine,
    groups,
    per_customer,
    store_table,
)
from omniretail.o2o.stores.next_store import next_stores
from omniretail.policies.store_limits import OpenAt, WithinDistance
from tests.models.stores.factories import queries_of, log_of, street
from tests.policies.factories import TOWN


def test_worked_by_hand() -> None:
    asked = queries_of([(-1, 1, 1), (0, 1, 0), (0, 2, 1), (0, 3, 2), (1, 1, 3), (2, 1, -1)])
    scores = np.tile([0.4, 0.3, 0.2, 0.1], (6, 1))
    found = per_customer(scores, asked)
    assert found.index.tolist() == [-1, 0, 1, 2]
    assert found.accuracy.tolist() == [0, 1 / 3, 0, 0]
    assert found.mrr.tolist() == pytest.approx([1 / 2, (1 + 1 / 2 + 1 / 3) / 3, 1 / 4, 0])
    assert found.recall_at_3.tolist() == [1, 1, 0, 0], "a store that nobody knew is never found"


def test_of_equal_scores_the_lower_number_comes_first() -> None:
    found = per_customer(np.ones((2, 3)), queries_of([(0, 1, 0), (1, 1, 2)]))
    assert found.mrr.tolist() == pytest.approx([1, 1 / 3])


def test_scores_that_are_no_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="a score of a store is not finite"):
        per_customer(np.array([[1, np.nan]]), queries_of([(0, 1, 0)]))


def test_loyal_or_not() -> None:
    log = log_of([(0, 10, 1), (0, 20, 1), (0, 99, 0), (1, 5, 0), (1, 6, 1), (2, 99, 0)], n_users=4, n_stores=2)
    found = groups(log, queries_of([(-1, 1, 0), (0, 1, 0), (1, 1, 0), (1, 2, 0), (2, 1, 0), (3, 1, 0)]))
    assert found.to_dict() == {-1: NONE, 0: ONE, 1: SEVERAL, 2: NONE, 3: NONE}


def test_a_table_with_the_best_first_and_tests_against_it() -> None:
    log, asked = street(n_users=40)
    models = {"popular": PopularStore().fit(log), "last": LastStore().fit(log)}
    table = store_table(examine(models, log, asked))
    assert table.question.unique().tolist() == list(QUESTIONS)
    whole = table[(table.question == "all visits") & (table.group == ALL)].set_index("model")
    assert whole.index.tolist() == ["last", "popular"]
    assert np.isnan(whole.mrr_p["last"])
    assert whole.mrr_p["popular"] < 0.05
    assert whole.mrr["last"] == pytest.approx(per_customer(models["last"].score(asked, False), asked).mrr.mean())
    assert (whole.accuracy_low <= whole.accuracy).all()
    assert (whole.accuracy <= whole.accuracy_high).all()
    first = table[(table.question == "first visit") & (table.group == ALL)]
    parts = table[(table.question == "first visit") & (table.group != ALL)]
    assert parts.groupby("model").customers.sum().tolist() == [first.customers.iloc[0]] * 2


HOURS = pd.DataFrame(
    {"store_id": ["s0", "s1"], "weekday": [5, 4], "opens": ["08:00", "08:00"], "closes": ["12:00", "12:00"]}
)


def test_a_closed_store_is_not_told() -> None:
    scores = np.tile(np.array([4.0, 3, 2, 1], dtype=np.float32), (5, 1))
    open_ = OpenAt(HOURS, "2024-05-17T09:00").fit(TOWN)  # a Friday: s0 is closed, of s2 and s3 nothing is known
    stores, best = next_stores(scores, TOWN.histories, [open_], k=2)
    assert stores.tolist() == [[1, 2]] * 5
    assert best.tolist() == [[3, 2]] * 5


def test_where_no_store_is_left_none_is_told() -> None:
    shut = pd.concat([HOURS.assign(store_id=[f"s{n}", f"s{n + 1}"]) for n in (0, 2)])
    closed = OpenAt(shut, "2024-05-19T09:00").fit(TOWN)  # a Sunday
    places = pd.DataFrame({"store_id": ["s0"], "x": [0.0], "y": [0.0]})
    near = WithinDistance(5, places).fit(TOWN)
    stores, best = next_stores(np.ones((5, 4), dtype=np.float32), TOWN.histories, [near, closed])
    assert stores.tolist() == [[-1]] * 5
    assert (best == -np.inf).all()


@pytest.mark.parametrize("k", [0, 5])
def test_no_more_stores_than_there_are(k) -> None:
    with pytest.raises(ValueError, match=f"k={k} stores cannot be told among 4"):
        next_stores(np.ones((5, 4), dtype=np.float32), TOWN.histories, [], k)
