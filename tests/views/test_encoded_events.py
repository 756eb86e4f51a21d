"""Events as arrays: the order and the baskets of the SQL that other views use."""

import numpy as np
import pandas as pd
import pytest

from omniretail.views.encoded_events import encoded
from omniretail.views.fold import with_baskets
from tests.conftest import tables_of


def log(seed: int, baskets: bool, file_order: bool, n: int = 400) -> pd.DataFrame:
    """Many ties: few users, moments and baskets, some rows without a basket, baskets that go on after another."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "user_id": rng.choice(["u", "ü", "U", "10", "9"], n),
            "item_id": rng.integers(0, 15, n),
            "timestamp": pd.Timestamp("1969-12-31 23:59:58") + pd.to_timedelta(rng.integers(0, 12, n) * 0.4, unit="s"),
            "event_type": rng.choice(["view", "purchase"], n),
            "channel": "online",
            "store_id": pd.array(rng.choice([1, 2, None], n), dtype="Int64"),
            "value": np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 5, n)),
        }
    )
    if baskets:
        frame["basket_id"] = rng.choice(["b", "a", "c", None], n)
    return frame.assign(file_order=rng.permutation(n)) if file_order else frame


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("baskets", [True, False])
@pytest.mark.parametrize("file_order", [True, False])
def test_order_and_baskets_are_those_of_the_engine(seed, baskets, file_order):
    frame = log(seed, baskets, file_order)
    made, ordered = encoded(tables_of(frame).events), with_baskets(tables_of(frame).events)
    first = ["user_id", "basket", "timestamp", "file_order" if file_order else "item_id"]
    ties = [] if file_order else ["event_type", "channel", "store_id", "value"]
    expected = ordered.order_by(*first, *ties).to_pandas()
    np.testing.assert_array_equal(made.basket, expected.basket)
    for name, codes in made.codes.items():
        decoded = pd.Series(made.vocabularies[name].decode(codes)).where(codes >= 0)
        pd.testing.assert_series_equal(decoded, expected[name], check_dtype=False, check_names=False)
    np.testing.assert_array_equal(made.numbers["value"], expected.value.to_numpy(np.float32))
    seconds = (expected.timestamp - pd.Timestamp(0)) // pd.Timedelta("1s")
    np.testing.assert_array_equal(made.timestamp, seconds)
    assert made.vocabularies["user_id"].ids.tolist() == sorted(made.vocabularies["user_id"].ids)


def test_an_empty_log_has_no_events():
    made = encoded(tables_of(log(0, True, True)).events.limit(0))
    assert len(made.basket) == len(made.timestamp) == len(made.codes["user_id"]) == 0
