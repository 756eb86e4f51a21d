import numpy as np
import pytest

from omniretail.models.recommenders.item_knn import ItemKNN
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular, newcomer_scores
from omniretail.models.recommenders.recent_popular import RecentPopular
from omniretail.models.top_k import recommend
from omniretail.views.histories import Histories
from tests.models.factories import train_on

TRAIN = train_on([[[0, 1], [0]], [[1, 2]], [[2, 2], [2]]], n_items=4)


def test_popular_counts_users_or_events() -> None:
    assert Popular("users").fit(TRAIN).popularity_.tolist() == [1, 2, 2, 0]
    assert Popular("events").fit(TRAIN).popularity_.tolist() == [2, 2, 4, 0]


def test_recent_popular_halves_with_every_half_life() -> None:
    days = Histories(
        user_idx=np.array([0]),
        offsets=np.array([0, 3]),
        item_idx=np.array([0, 1, 1]),
        timestamp=np.array([0, 86_400, 2 * 86_400]),
        basket=np.array([0, 1, 2]),
        n_items=2,
    )
    train = train_on([[[0], [1], [1]]], n_items=2)
    train = type(train)(days, train.users, train.items, train.item_table, at=3 * 86_400)
    assert RecentPopular(half_life_days=1).fit(train).popularity_ == pytest.approx([1 / 8, 1 / 4 + 1 / 2])


def test_recent_popular_without_a_clock_counts_events() -> None:
    by_position = RecentPopular().fit(TRAIN).popularity_
    assert by_position == pytest.approx(Popular("events").fit(TRAIN).popularity_, rel=1e-4)


def test_personal_top_puts_own_items_by_baskets_first_and_the_rest_by_popularity() -> None:
    model = PersonalTop().fit(TRAIN)  # baskets per item: 2, 2, 3, 0
    scores = model.score(Histories.of([[[1, 1, 1], [0], [0]], []], n_items=4))
    assert np.argsort(-scores, kind="stable").tolist() == [[0, 1, 2, 3], [2, 0, 1, 3]]
    assert scores[0] == pytest.approx([2.5, 1.5, 0.75, 0])


@pytest.mark.parametrize(("model", "first"), [(PersonalTop(), 3), (Popular("users"), 1), (Popular("events"), 3)])
def test_popularity_baselines_serve_newcomers_their_own_popularity(model, first: int) -> None:
    """Item 3 is in more baskets, item 1 has more customers."""
    train = train_on([[[3], [3], [3], [3]], [[1]], [[1]], [[2]]], n_items=4)
    newcomer = Histories.of([[]], n_items=4)
    served, _ = recommend(model.fit(train), newcomer, 3, fallback=newcomer_scores(model, train))
    own, _ = recommend(model, newcomer, 3)
    assert served.tolist() == own.tolist()
    assert served[0, 0] == first


def test_newcomers_of_any_other_model_get_items_by_customers() -> None:
    train = train_on([[[3], [3], [3], [3]], [[1]], [[1]], [[2]]], n_items=4)
    assert newcomer_scores(ItemKNN().fit(train), train).tolist() == [0, 2, 1, 1]
