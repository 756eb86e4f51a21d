from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.dataset import Dataset
from omniretail.metrics.constraint_cost import feasible_share_at_k, score_regret_at_k
from omniretail.metrics.evaluate_lists import Metrics
from omniretail.metrics.ranking import ndcg_at_k
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.policies.chain import Chain
from omniretail.policies.lists import CategoryCap, Exclude
from omniretail.policies.seen import allow_seen, hide_seen
from omniretail.policies.stores import AtStores, InStock, OwnStore, Sold
from omniretail.recommendation.evaluate import Recommendation
from omniretail.result import Result
from omniretail.splits.temporal import Temporal
from tests.conftest import shop_events, tables_of
from tests.policies.factories import TOWN, shown

AT_STORE = AtStores([OwnStore()], [Sold(weeks=8)])
EVERYTHING = [0, 1, 2, 3, 4, 5]


def test_each_rule_takes_something_out() -> None:
    assert shown(Chain([AT_STORE, Exclude([0]), CategoryCap(1)]))[:3] == [[1], [3, 4], [1, 2, 3]]
    assert shown(Chain([CategoryCap(1), AT_STORE]))[1] == EVERYTHING, "the cap came first and left nothing of the store"


@pytest.mark.parametrize(
    ("fallback", "expected"),
    [("empty", []), ("unconstrained", EVERYTHING), ("popular_at_store", [1, 0, 2, 3, 4])],
)
def test_where_nothing_is_left_the_chain_falls_back(fallback, expected) -> None:
    chain = Chain([AT_STORE], fallback=fallback)
    assert shown(chain)[3] == expected
    users = TOWN.histories
    made = chain.decide(np.zeros((5, 6), dtype=np.float32), users)
    assert made.fell_back.tolist() == [False, False, False, True, False]
    assert made.unknown.tolist() == [False, False, True, False, True]
    assert not made.feasible[3].any()


def test_the_stores_own_best_sellers_stand_in() -> None:
    nothing = AtStores([OwnStore()], [InStock(pd.DataFrame({"store_id": ["s0"], "item_id": [0], "quantity": [0]}))])
    chain = Chain([nothing], fallback="popular_at_store").fit(TOWN)
    scores = chain(np.zeros((5, 6), dtype=np.float32), TOWN.histories)
    assert scores[0].tolist() == [1, 2, -np.inf, -np.inf, -np.inf, -np.inf]  # item 1 was in two of its baskets


@pytest.mark.parametrize(
    ("fallback", "expected"),
    [("unconstrained", {0: [3, 5], 3: [0, 2, 3, 4]}), ("popular_at_store", {0: [3], 3: [0, 2, 3, 4]})],
)
def test_what_always_holds_holds_for_the_fallback_too(fallback, expected) -> None:
    lists = shown(Chain([AT_STORE], always=[hide_seen, Exclude([1])], fallback=fallback))
    assert {user: lists[user] for user in expected} == expected, "0 has had all that s0 sells; s3 sold nothing of late"


def test_best_sellers_of_stores_need_stores() -> None:
    nowhere = replace(TOWN, stores=TOWN.stores.of([]))
    with pytest.raises(ValueError, match="this log has no store_id; set policy"):
        Chain([], fallback="popular_at_store").fit(nowhere)


def test_a_chain_as_text() -> None:
    assert str(Chain([AT_STORE], always=[allow_seen])) == (
        "AtStores(reach=[OwnStore(choice=most_frequent, weeks=8)], carries=[Sold(weeks=8, at_least=1)]); "
        "always allow_seen; else unconstrained"
    )


def test_feasible_share_counts_empty_places_as_not_feasible() -> None:
    feasible = np.array([[True, True, False], [False, False, False]])
    np.testing.assert_allclose(feasible_share_at_k(feasible, 3), [2 / 3, 0])


def test_score_regret_is_the_share_of_the_gain_that_is_lost() -> None:
    before = np.array([[5.0, 3.0], [5.0, 3.0], [5.0, 3.0], [1.0, 1.0]])
    after = np.array([[5.0, 3.0], [3.0, np.nan], [-1.0, 1.0], [1.0, 1.0]])
    average = np.array([1.0, 1.0, 1.0, 1.0])
    np.testing.assert_allclose(score_regret_at_k(before, after, average, 2), [0, 2 / 3, 4 / 3, np.nan])
    moved = score_regret_at_k(before * 7 + 2, after * 7 + 2, average * 7 + 2, 2)
    np.testing.assert_allclose(moved, [0, 2 / 3, 4 / 3, np.nan])


METRICS = Metrics(ks=[3, 5], primary="ndcg_at_5", per_user={"ndcg": ndcg_at_k}, overall={})


def evaluated(policy, memory_mb: int = 64) -> Result:
    events = shop_events()
    events["store_id"] = "s" + (events.user_id % 4).astype(str)
    data = Dataset(tables_of(events), Temporal(20))
    return Recommendation(METRICS, policy, memory_mb).evaluate(PersonalTop(), data, "test").result


def test_what_the_policy_changed_stands_beside_accuracy(caplog) -> None:
    free = evaluated(allow_seen)
    chain = Chain([AtStores([OwnStore(weeks=4)], [Sold(weeks=4)])], fallback="empty")
    held = evaluated(chain)
    per_unit = held.per_unit
    np.testing.assert_array_equal(per_unit.unconstrained_ndcg_at_5, free.per_unit.ndcg_at_5)
    np.testing.assert_allclose(per_unit.regret_at_5, free.per_unit.ndcg_at_5 - per_unit.ndcg_at_5)
    assert 0.3 < per_unit.feasible_share_before_at_5.mean() < 1
    stays = per_unit.feasible_share_before_at_3 == 1
    assert stays.any()
    np.testing.assert_allclose(per_unit.regret_at_3[stays], 0)
    np.testing.assert_allclose(per_unit.score_regret_at_3[stays], 0)
    assert (per_unit.score_regret_at_3[~stays] > 0).all()
    assert held.counts["users_unknown_to_policy"] == held.counts["users_without_history"] > 0
    assert "judged: users unknown to policy" in caplog.text
    assert "AtStores" in held.protocol["policy"]
    assert "fallback" not in free.protocol["policy"]


def test_after_the_policy_everything_is_feasible_but_what_was_fallen_back_on(caplog) -> None:
    sells_nothing = pd.DataFrame({"store_id": ["s1"], "item_id": [0], "quantity": [0]})
    chain = Chain([AtStores([OwnStore(weeks=4)], [InStock(sells_nothing)])], fallback="popular_at_store")
    held = evaluated(chain)
    after = held.per_unit.feasible_share_at_5
    assert set(after) == {0.0, 1.0}
    assert (after == 0).sum() == held.counts["users_fallen_back"] > 0
    assert f"policy: {(after == 0).sum()} of {len(after)} judged: users fallen back" in caplog.text


def test_figures_do_not_depend_on_the_size_of_batches() -> None:
    chain = Chain([AT_STORE, Exclude([0])], fallback="popular_at_store")
    whole, parts = evaluated(chain), evaluated(chain, memory_mb=0)
    pd.testing.assert_frame_equal(whole.per_unit, parts.per_unit)
