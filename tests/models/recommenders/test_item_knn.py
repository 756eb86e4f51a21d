from math import log1p, sqrt

import numpy as np
import pytest

from omniretail.models import neighbours
from omniretail.models.recommenders.item_knn import ItemKNN
from omniretail.views.histories import Histories
from tests.models.factories import matrix_of, random_baskets, train_on

N_USERS, N_ITEMS = 40, 15
BASKETS = random_baskets(N_USERS, N_ITEMS)


def by_loops(history: list[int], k: int, shrinkage: float, weighting: str) -> list[float]:
    users = matrix_of(BASKETS, N_ITEMS)
    if weighting == "unit":
        users = users / np.array([[sqrt(sum(row**2))] for row in users])
    if weighting == "tf-idf":
        users = users * np.array([[log1p(N_ITEMS / row.sum())] for row in users])
    scores = []
    for item in range(N_ITEMS):
        similarity = {}
        for other in set(range(N_ITEMS)) - {item}:
            lengths = sqrt(sum(users[:, item] ** 2)) * sqrt(sum(users[:, other] ** 2))
            similarity[other] = sum(users[:, item] * users[:, other]) / (lengths + shrinkage)
        nearest = sorted(similarity, key=lambda other: (-similarity[other], other))[:k]
        scores.append(sum(similarity[other] for other in nearest if other in history))
    return scores


@pytest.mark.parametrize(("k", "shrinkage", "weighting"), [(3, 0.0, "none"), (5, 7.5, "tf-idf"), (9, 0.5, "unit")])
def test_scores_are_those_of_plain_loops(k: int, shrinkage: float, weighting, monkeypatch) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", 4)
    model = ItemKNN(k, shrinkage, weighting).fit(train_on(BASKETS, N_ITEMS))
    histories = [[0, 3, 4], [7], list(range(N_ITEMS))]
    scores = model.score(Histories.of([[history] for history in histories], N_ITEMS))
    for row, history in zip(scores, histories, strict=True):
        assert row == pytest.approx(by_loops(history, k, shrinkage, weighting), rel=1e-5, abs=1e-6)


def test_counts_weigh_similarities_and_histories() -> None:
    train = train_on([[[0], [0, 1]], [[2], [1]]], n_items=3)
    similar = ItemKNN(shrinkage=0, feature_weighting="none", weighting="count").fit(train).similar_.toarray()
    assert similar[0, 1] == pytest.approx(2 / (2 * sqrt(2)))
    once, twice = ItemKNN(weighting="count").fit(train).score(Histories.of([[[0]], [[0], [0]]], n_items=3))
    assert twice == pytest.approx(2 * once)
