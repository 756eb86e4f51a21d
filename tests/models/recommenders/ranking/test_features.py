from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from omniretail.ids import Vocabulary
from omniretail.models.recommenders.ranking.affinity import affinity_features
from omniretail.models.recommenders.ranking.features import GROUPS, RankingFacts
from omniretail.models.recommenders.ranking.item_facts import item_facts
from omniretail.models.recommenders.ranking.own_history import history_features
from omniretail.models.recommenders.ranking.own_store import own_stores, store_features
from omniretail.models.recommenders.ranking.pairs import Pairs
from omniretail.models.recommenders.ranking.user_features import clock_features, user_features
from omniretail.models.recommenders.ranking.windows import DAY_S
from omniretail.views.histories import Histories
from omniretail.views.profile.from_histories import profile_frames
from omniretail.views.train import Train
from tests.models.factories import random_baskets, train_on

START, N_DAYS, N_ITEMS = 1_500_000_000, 40, 12


def weekly() -> Train:
    """A basket every third day, in two stores, with amounts and attributes."""
    bare = train_on(random_baskets(30, N_ITEMS), N_ITEMS)
    histories, rng = bare.histories, np.random.default_rng(1)
    n = len(histories.item_idx)
    histories = replace(
        histories,
        timestamp=START + histories.basket.astype(np.int64) * 3 * DAY_S,
        quantity=np.ones(n, np.float32),
        value=rng.integers(1, 9, n).astype(np.float32),
        discount=rng.integers(0, 2, n).astype(np.float32),
        store=(histories.basket % 2).astype(np.int32),
    )
    items = bare.item_table.assign(category=["bread", "milk", None] * 4)
    stores = Vocabulary.of(["s0", "s1"])
    return replace(bare, histories=histories, item_table=items, stores=stores, at=START + N_DAYS * DAY_S)


TRAIN = weekly()
AT = np.full(30, TRAIN.at)
EVERY = Pairs(np.repeat(np.arange(30), N_ITEMS), np.tile(np.arange(N_ITEMS), 30), N_ITEMS)


def own_days(user: int, item: int) -> list[int]:
    """Days of the user's baskets with the item, counted back from the cutoff, oldest first."""
    events = TRAIN.histories.take([user])
    return sorted({(TRAIN.at - int(t)) // DAY_S for t in events.timestamp[events.item_idx == item]}, reverse=True)


def test_own_history_counts_baskets_days_and_gaps() -> None:
    features = history_features(TRAIN.histories, AT, EVERY, np.full(N_ITEMS, 10.0))
    for place, (user, item) in enumerate(zip(EVERY.row, EVERY.item, strict=True)):
        days = own_days(user, item)
        assert features["baskets"][place] == len(days)
        assert features["baskets_28"][place] == sum(each <= 28 for each in days)
        assert features["decayed_21d"][place] == pytest.approx(sum(0.5 ** (each / 21) for each in days))
        if not days:
            assert np.isnan(features["days_since"][place])
            continue
        assert (features["days_since_first"][place], features["days_since"][place]) == (days[0], days[-1])
        if len(days) > 1:
            gap = (days[0] - days[-1]) / (len(days) - 1)
            assert features["gap_days"][place] == pytest.approx(gap)
            assert features["overdue"][place] == pytest.approx(days[-1] / gap)
            assert features["last_gap_days"][place] == days[-2] - days[-1]
        else:
            assert np.isnan(features["gap_days"][place])
            assert features["overdue_any"][place] == pytest.approx(days[-1] / 10)


def test_user_features_are_the_profile_tables_columns() -> None:
    table, _ = profile_frames(TRAIN.histories, TRAIN.at, "UTC", np.zeros((N_ITEMS, 0), np.int32))
    for name, values in user_features(TRAIN.histories, AT).items():
        np.testing.assert_allclose(values, table[name].to_numpy(), err_msg=name)


def test_item_facts_count_customers_and_repeats() -> None:
    facts = item_facts(TRAIN)
    days = [[own_days(user, item) for user in range(30)] for item in range(N_ITEMS)]
    for item, of_users in enumerate(days):
        buyers = [each for each in of_users if each]
        assert facts["users"][item] == len(buyers)
        assert facts["users_28"][item] == sum(each[-1] <= 28 for each in buyers)
        assert facts["baskets_per_user"][item] == pytest.approx(np.mean([len(each) for each in buyers]))
        assert facts["days_since_sold"][item] == min(each[-1] for each in buyers)
        gaps = [a - b for each in buyers for a, b in pairwise(each)]
        assert facts["gap_days"][item] == pytest.approx((sum(gaps) + 60) / (len(gaps) + 2))
        events = TRAIN.histories.item_idx == item
        assert facts["price"][item] == pytest.approx(TRAIN.histories.value[events].mean())


def test_affinity_is_the_share_of_the_value_and_missing_without_one() -> None:
    facts = RankingFacts.of(TRAIN, ["category", "brand"])
    assert facts.level_names.tolist() == ["category", "price_band"]
    values, popularity = facts.item_values[:, :1], facts.items["users_28"]
    features = affinity_features(TRAIN.histories, AT, EVERY, values, facts.level_names[:1], popularity)
    baskets = [(u, i, d) for u in range(30) for i in range(N_ITEMS) for d in own_days(u, i)]
    for place in range(0, len(EVERY.row), 7):
        user, item = EVERY.row[place], EVERY.item[place]
        share = features["category_share"][place]
        if item % 3 == 2:
            assert np.isnan(share)
        else:
            own = [i for u, i, _ in baskets if u == user]
            assert share == pytest.approx(sum(i % 3 == item % 3 for i in own) / len(own))


def test_the_store_is_where_the_user_is_else_the_one_visited_most() -> None:
    stores = own_stores(TRAIN.histories, AT, 2)
    assert stores[TRAIN.histories.n_baskets == 1].max(initial=0) == 0  # one basket, in the first store
    elsewhere = replace(TRAIN.histories, at_store=np.full(30, 1, np.int32))
    assert own_stores(elsewhere, AT, 2).tolist() == [1] * 30
    nobody = Histories.of([[], [[3]]], N_ITEMS)
    assert own_stores(nobody, AT[:2], 2).tolist() == [-1, -1]
    pairs, sales = Pairs(np.array([0, 1]), np.array([3, 3]), N_ITEMS), RankingFacts.of(TRAIN, []).stores
    assert np.isnan(store_features(nobody, AT[:2], pairs, dict(sales))["store_sales_28"]).all()
    served = store_features(elsewhere, AT, EVERY, dict(sales))["store_sales_182"].reshape(30, N_ITEMS)[0]
    expected = np.bincount(TRAIN.histories.item_idx[TRAIN.histories.store == 1], minlength=N_ITEMS)
    assert served.tolist() == expected.tolist()


def test_the_clock_is_the_customers_and_absent_without_times() -> None:
    second = 1_710_556_200  # 2024-03-16 02:30 UTC
    clock = clock_features(np.array([second]), "America/New_York")  # Friday the 15th, 22:30
    assert {name: each.tolist() for name, each in clock.items()} == {
        "week_of_month": [2],
        "month": [3],
        "weekday": [4],
        "hour": [22],
    }
    assert np.isnan(clock_features(np.array([second]), "")["hour"]).all()


@pytest.mark.parametrize("baskets", [[[]], [[[0]]], [[], [[11, 11], [11]]]])
def test_every_group_gives_a_number_or_nan_for_any_history(baskets: list) -> None:
    users = Histories.of(baskets, N_ITEMS)
    pairs = Pairs(np.zeros(N_ITEMS, np.int64), np.arange(N_ITEMS), N_ITEMS)
    columns = RankingFacts.of(TRAIN, ["category"]).features(users, pairs, GROUPS)
    assert {each.shape for each in columns.values()} == {(N_ITEMS,)}
    assert not any(np.isinf(each).any() for each in columns.values())


def test_a_later_event_moves_the_time_as_of_which_the_user_is_seen() -> None:
    facts, one = RankingFacts.of(TRAIN, []), TRAIN.histories.take([0])
    pairs = Pairs(np.array([0]), one.item_idx[:1].astype(np.int64), N_ITEMS)
    before = facts.features(one, pairs, ["history"])["days_since_first"]
    after = facts.features(replace(one, served_at=np.array([TRAIN.at + 5 * DAY_S])), pairs, ["history"])
    assert after["days_since_first"] == before + 5
