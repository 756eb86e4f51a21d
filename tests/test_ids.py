import numpy as np
import pandas as pd
import pytest

from omniretail.ids import Vocabulary


def test_order_of_arrival_does_not_matter() -> None:
    assert list(Vocabulary.of([30, 4, 30, 100]).ids) == list(Vocabulary.of([100, 30, 4]).ids) == [4, 30, 100]


def test_unknown_is_minus_one() -> None:
    np.testing.assert_array_equal(Vocabulary.of(["b", "a"]).encode(["a", "zebra", "b"]), [0, -1, 1])


@pytest.mark.parametrize("raw", [["a b", "a'b", 'a"b', "a\nb", "茶", "", " "], [3, 2, 1], [2**60, -1]])
def test_round_trip(raw: list) -> None:
    words = Vocabulary.of(pd.Series(raw))
    assert list(words.decode(words.encode(raw))) == raw
    assert len(words) == len(raw)
