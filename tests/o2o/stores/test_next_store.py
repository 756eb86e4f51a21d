import numpy as np
import pandas as pd
import pytest

from omniretail.o2o.stores.next_store import next_stores
from omniretail.policies.store_limits import OpenAt, WithinDistance
from tests.policies.factories import TOWN

HOURS = pd.DataFrame(
    {"store_id": ["s0", "s1"], "weekday": [5, 4], "opens": ["08:00", "08:00"], "closes": ["12:00", "12:00"]}
)


def test_a_closed_store_is_left_out() -> None:
    scores = np.tile(np.array([4.0, 3, 2, 1], dtype=np.float32), (5, 1))
    open_ = OpenAt(HOURS, "2024-05-17T09:00").fit(TOWN)  # a Friday: s0 is closed, of s2 and s3 nothing is known
    stores, best = next_stores(scores, TOWN.histories, [open_], k=2)
    assert stores.tolist() == [[1, 2]] * 5
    assert best.tolist() == [[3, 2]] * 5


def test_where_no_store_is_left_there_is_none() -> None:
    shut = pd.concat([HOURS.assign(store_id=[f"s{n}", f"s{n + 1}"]) for n in (0, 2)])
    closed = OpenAt(shut, "2024-05-19T09:00").fit(TOWN)  # a Sunday
    places = pd.DataFrame({"store_id": ["s0"], "x": [0.0], "y": [0.0]})
    near = WithinDistance(5, places).fit(TOWN)
    stores, best = next_stores(np.ones((5, 4), dtype=np.float32), TOWN.histories, [near, closed])
    assert stores.tolist() == [[-1]] * 5
    assert (best == -np.inf).all()


@pytest.mark.parametrize("k", [0, 5])
def test_no_more_stores_than_there_are(k) -> None:
    with pytest.raises(ValueError, match=f"k={k} is not between 1 and the number of stores, 4"):
        next_stores(np.ones((5, 4), dtype=np.float32), TOWN.histories, [], k)
