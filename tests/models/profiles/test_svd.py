from dataclasses import replace

import numpy as np
import pytest

from omniretail.models.profiles.svd import CountSVD
from omniretail.views.train import Train
from tests.models.factories import random_baskets, train_on

BASKETS = [[[0, 0], [1]], [[1, 2]], [[3]], [[0], [3]]]
ITEMS = {"category": ["tea", "tea", "milk", None], "department": [1, 1, 1, 1]}


def shop() -> Train:
    train = train_on(BASKETS, 4)
    return replace(train, item_table=train.item_table.assign(**ITEMS))


def products(encoder: CountSVD, train: Train) -> np.ndarray:
    """Inner products of all customers; whatever turn the projection takes, they stay."""
    vectors = encoder.fit(train).embed(train.histories, train.at)
    return vectors @ vectors.T


def test_logarithms_of_counts() -> None:
    counts = np.array([[2, 1, 0, 0], [0, 1, 1, 0], [0, 0, 0, 1], [1, 0, 0, 1]])
    weighted = np.log1p(counts)
    got = products(CountSVD(levels=[], weighting="log"), shop())
    np.testing.assert_allclose(got, weighted @ weighted.T, atol=1e-5)


def test_rare_columns_weigh_more() -> None:
    counts = np.array([[3, 0], [1, 1], [0, 0], [1, 0]])  # of tea and of milk
    weighted = np.log1p(counts) * np.log1p(4 / np.array([3, 1]))
    got = products(CountSVD(items=False, levels=["category"]), shop())
    np.testing.assert_allclose(got, weighted @ weighted.T, atol=1e-5)


def test_items_and_levels_have_length_one_each() -> None:
    got = products(CountSVD(levels=["category", "department", "brand"], unit_length=True), shop())
    np.testing.assert_allclose(np.diag(got), [3, 3, 2, 3], rtol=1e-5)  # the third bought nothing of a known category


def test_customers_of_one_category_are_similar_by_it() -> None:
    train = replace(train_on([[[0]], [[1]], [[2]]], 4), item_table=shop().item_table)
    got = products(CountSVD(items=False, levels=["category"], unit_length=True), train)
    np.testing.assert_allclose(got, [[1, 1, 0], [1, 1, 0], [0, 0, 1]], atol=1e-6)


def test_price_bands_count_only_where_levels_name_them() -> None:
    train = shop()
    n = len(train.histories.item_idx)
    histories = replace(train.histories, quantity=np.ones(n, np.float32), value=np.arange(n, dtype=np.float32))
    priced = replace(train, histories=histories)
    np.testing.assert_allclose(products(CountSVD(), priced), products(CountSVD(), train), atol=1e-5)
    assert products(CountSVD(levels=["price_band"], unit_length=True), priced)[0, 0] == pytest.approx(2, rel=1e-5)


def test_fewer_dimensions_come_as_near_as_they_can() -> None:
    train = train_on(random_baskets(50, 20), 20)
    weighted = CountSVD(dim=20).fit(train)._weighted(train.histories).toarray()
    left, strength, right = np.linalg.svd(weighted, full_matrices=False)
    best = (left[:, :5] * strength[:5]) @ right[:5]
    encoder = CountSVD(dim=5).fit(train)
    got = encoder.embed(train.histories, train.at) @ encoder.directions_.T
    assert np.linalg.norm(weighted - got) == pytest.approx(np.linalg.norm(weighted - best), rel=1e-3)


def test_nothing_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match="the item table has none of them"):
        CountSVD(items=False, levels=["brand"]).fit(shop())
    with pytest.raises(ValueError, match="weighting='bm25' must be one of log, tf-idf"):
        CountSVD(weighting="bm25")
    with pytest.raises(ValueError, match=r"levels=.* must name a column where items=False"):
        CountSVD(items=False, levels=[])
