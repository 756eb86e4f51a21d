from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.profiles.item2vec import Item2Vec
from omniretail.views.histories import Histories
from tests.models.factories import train_on

TRAIN = train_on([[[0, 1, 1], [0, 1]], [[1, 2]], [[2, 3], [3]]], 4)
TOGETHER = np.array([[0, 2, 0, 0], [2, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0]])
"""Baskets that held both."""


@pytest.mark.parametrize(("negatives", "smoothing"), [(1, 1.0), (2, 0.75)])
def test_shifted_positive_mutual_information(negatives: int, smoothing: float) -> None:
    times = TOGETHER.sum(axis=1)
    contexts = times**smoothing / (times**smoothing).sum()
    with np.errstate(divide="ignore"):
        expected = np.maximum(np.log(TOGETHER / (times[:, None] * contexts)) - np.log(negatives), 0)
    encoder = Item2Vec(negatives=negatives, smoothing=smoothing)
    np.testing.assert_allclose(encoder._association(TRAIN.histories).toarray(), expected)


def test_items_vectors_are_the_factors_of_it() -> None:
    encoder = Item2Vec(smoothing=1.0).fit(TRAIN)
    left, strength, _ = np.linalg.svd(encoder._association(TRAIN.histories).toarray())
    expected = left * np.sqrt(strength)
    np.testing.assert_allclose(encoder.item_vectors_ @ encoder.item_vectors_.T, expected @ expected.T, atol=1e-5)


def test_a_customer_is_the_average_of_their_items() -> None:
    encoder = Item2Vec(half_life_days=None).fit(TRAIN)
    vectors = encoder.embed(TRAIN.histories, TRAIN.at)
    expected = encoder.item_vectors_[[0, 1, 1, 0, 1]].mean(axis=0)
    np.testing.assert_allclose(vectors[0], expected, rtol=1e-5)


def test_older_lines_count_less() -> None:
    encoder = Item2Vec(half_life_days=10).fit(TRAIN)
    histories = Histories.of([[[0], [3]], [], [[3], [0]]], 4)
    day = 24 * 3600
    histories = replace(histories, timestamp=np.array([100, 120, 100, 100]) * day)
    first, none, level = encoder.embed(histories, 10**6 * day)
    vectors = encoder.item_vectors_
    np.testing.assert_allclose(first, (vectors[0] / 4 + vectors[3]) / 1.25, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(level, (vectors[0] + vectors[3]) / 2, rtol=1e-4, atol=1e-6)
    assert not none.any()


def test_where_a_basket_holds_one_item_histories_say_what_goes_together() -> None:
    train = train_on([[[0], [1]], [[2], [3]], [[0], [1]]], 4)
    assert not Item2Vec().fit(train).item_vectors_.any()
    vectors = Item2Vec(sets="history").fit(train).embed(train.histories, train.at)
    assert vectors[0] @ vectors[2] > 10 * abs(vectors[0] @ vectors[1])


def test_other_sets_are_refused() -> None:
    with pytest.raises(ValueError, match="sets='session' must be one of basket, history"):
        Item2Vec(sets="session")
