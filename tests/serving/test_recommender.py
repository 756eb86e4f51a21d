"""Recommendations as they are served: the evaluated lists, and what a request may set."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.models.profiles.table import ProfileTable
from omniretail.models.recommenders.bpr import BPR
from omniretail.models.recommenders.ease import EASE
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.profile_knn import ProfileKNN
from omniretail.models.top_k import recommend
from omniretail.policies.chain import Chain
from omniretail.policies.lists import CategoryCap
from omniretail.policies.seen import hide_seen
from omniretail.policies.store_limits import OpenAt
from omniretail.policies.stores import AtStores, OwnStore, Sold
from omniretail.serving.recommender import RecommenderService
from omniretail.serving.validation import RequestError
from omniretail.views.histories import Histories
from tests.policies.factories import AT, DAY, TOWN
from tests.serving.factories import NAMED, rows, service


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RecommenderService:
    return service(tmp_path_factory.mktemp("town") / "saved")


def test_a_known_customer_gets_the_evaluated_list(town: RecommenderService) -> None:
    ranked, scores = recommend(PersonalTop().fit(NAMED), NAMED.histories.take([0, 1, 2, 3]), k=4)
    answers = town.predict(rows(*({"user_id": user, "k": 4} for user in range(4))))
    assert answers.item_ids.tolist() == ranked.tolist()
    assert answers.scores.tolist() == scores.tolist()
    assert answers.fallback.tolist() == [None] * 4
    assert set(answers.model_version) == {"town/1"}


def test_names_come_with_the_items(town: RecommenderService) -> None:
    answers = town.predict(rows({"user_id": 2, "k": 6})).iloc[0]
    assert answers["names"] == [["tea", "milk", "bread", "jam", "eggs", None][item] for item in answers.item_ids]


def test_what_a_rule_allows_at_the_time_of_the_request_is_shown(tmp_path: Path) -> None:
    hours = pd.DataFrame({"store_id": ["s0"], "weekday": [0], "opens": ["09:00"], "closes": ["18:00"]})
    monday = AT + 2 * DAY  # the cutoff is a Saturday, 0:00 UTC
    policy = Chain([AtStores([OwnStore(), OpenAt(hours)], [Sold(weeks=None)])], fallback="empty")
    served = service(tmp_path / "saved", policy=policy)
    answers = served.predict(
        rows(
            {"user_id": 0},
            {"user_id": 0, "at": monday + 10 * 3600},
            {"user_id": 0, "at": "1970-04-13T20:00"},
            {"user_id": 0, "at": float(monday + 17 * 3600)},
        )
    )
    assert [bool(items) for items in answers.item_ids] == [False, True, False, True]
    with pytest.raises(RequestError, match="at: 7 lies before an event of the customer's history"):
        served.predict(rows({"user_id": 0, "at": 7}))
    timeless = service(tmp_path / "timeless", train=replace(NAMED, zone=None))
    with pytest.raises(RequestError, match="at: this model's data has an order of events but no times"):
        timeless.predict(rows({"user_id": 0, "at": monday}))


def test_a_profile_inside_is_as_of_the_time_of_the_request(tmp_path: Path) -> None:
    served = service(tmp_path / "saved", ProfileKNN(ProfileTable(), k=2))
    history = [{"item_id": 1, "timestamp": AT - DAY}, {"item_id": 4, "timestamp": AT - 80 * DAY}]
    now, late = served.predict(rows({"history": history}, {"history": history, "at": AT + 300 * DAY})).scores
    assert now != late


def test_a_history_in_the_request_replaces_the_known_one(town: RecommenderService) -> None:
    known, own = town.predict(rows({"user_id": 0, "k": 1}, {"user_id": 0, "history": [3, 3], "k": 1})).item_ids
    assert known != own == [3]


@pytest.mark.parametrize("nothing", [{}, {"user_id": 99}, {"history": []}, {"user_id": 0, "history": []}])
def test_a_customer_without_a_history_gets_what_is_popular_and_the_answer_says_so(
    town: RecommenderService, nothing: dict
) -> None:
    answers = town.predict(rows({"user_id": None, **nothing}, {"user_id": 0})).iloc[0]
    assert answers.fallback == "popular"
    assert answers.item_ids[0] == 0  # in three baskets: the popularity that breaks PersonalTop's ties
    at_store = town.predict(rows({"user_id": None, **nothing, "store_id": "s1", "k": 1})).iloc[0]
    assert (at_store.fallback, at_store.item_ids) == ("popular_at_store", [4])
    online = town.predict(rows({"user_id": None, **nothing, "channel": "online", "k": 1})).iloc[0]
    assert online.fallback == "popular_in_channel"


def test_without_a_history_a_model_that_is_no_popularity_baseline_serves_items_by_customers(tmp_path: Path) -> None:
    answers = service(tmp_path / "saved", EASE()).predict(rows({"user_id": None})).iloc[0]
    assert answers.fallback == "popular"
    assert answers.item_ids[0] == 4  # two customers bought it; of equals the lower number


def test_all_items_of_a_history_unknown_is_like_no_history_and_counted(town: RecommenderService) -> None:
    answers = town.predict(rows({"history": [70, 71]})).iloc[0]
    assert (answers.fallback, answers.unknown_items) == ("popular", 2)


def test_each_row_has_its_own_list_length(town: RecommenderService) -> None:
    answers = town.predict(rows({"user_id": 0, "k": 1}, {"user_id": 0, "k": 5}, {"user_id": 0}))
    assert [len(each) for each in answers.item_ids] == [1, 5, 6]  # ten by default, of six items


def test_white_list_black_list_and_filters(town: RecommenderService) -> None:
    requests = [
        {"candidates": [4, 5, 700]},
        {"exclude": [0, 1, 2]},
        {"filters": {"category": "c1"}},
        {"filters": {"category": ["c1", "c2"], "price": {"min": 2, "max": 3}}},
        {"candidates": [4], "exclude": [4]},
    ]
    answers = town.predict(rows(*({"user_id": 0, **each} for each in requests))).item_ids
    assert [set(each) for each in answers] == [{4, 5}, {3, 4, 5}, {1, 4}, {1, 2}, set()]


def test_the_policy_is_the_evaluated_one_and_its_fallback_is_named(tmp_path: Path) -> None:
    policy = Chain([AtStores([OwnStore()], [Sold()])], [hide_seen], fallback="unconstrained")
    served = service(tmp_path / "saved", policy=policy)
    ranked, _ = recommend(PersonalTop().fit(NAMED), NAMED.histories, k=6, policy=policy.fit(NAMED))
    answers = served.predict(rows(*({"user_id": user} for user in range(5))))
    assert [[item for item in row if item >= 0] for row in ranked.tolist()[:4]] == answers.item_ids.tolist()[:4]
    assert answers.fallback.tolist()[0] == "policy: unconstrained"  # s0 sold nothing that is new to this customer


def test_in_a_store_only_what_it_sells_is_shown(tmp_path: Path) -> None:
    served = service(tmp_path / "saved", policy=Chain([AtStores([OwnStore()], [Sold()])]))
    answers = served.predict(rows({"user_id": 0}, {"user_id": 0, "store_id": "s1"}, {"history": [5], "store_id": "s2"}))
    assert [set(each) for each in answers.item_ids] == [{0, 1}, {3, 4}, {2}]


def test_a_model_with_a_vector_per_user_serves_new_customers_what_is_popular(tmp_path: Path) -> None:
    served = service(tmp_path / "saved", BPR(factors=4, iterations=3))
    answers = served.predict(rows({"user_id": 0}, {"history": [1, 2]}, {"user_id": 1}))
    assert answers.fallback.tolist() == [None, "popular", None]


def test_a_history_of_ten_thousand_events_is_answered(town: RecommenderService) -> None:
    answers = town.predict(rows({"history": list(range(6)) * 1666 + [3, 3, 3, 3], "k": 1})).iloc[0]
    assert answers.item_ids == [3]


def test_ids_are_text_or_numbers_as_in_the_log(tmp_path: Path) -> None:
    text = replace(
        NAMED, users=type(NAMED.users).of([f"u{n}" for n in range(5)]), items=type(NAMED.items).of(list("abcdef"))
    )
    text = replace(text, item_table=NAMED.item_table.assign(item_id=list("abcdef")))
    served = service(tmp_path / "saved", train=text)
    answers = served.predict(rows({"user_id": "u0", "k": 2}, {"history": ["d", "zz"], "k": 1}, {"user_id": None}))
    assert answers.item_ids.tolist()[1] == ["d"]
    assert answers.unknown_items.tolist() == [0, 1, 0]
    assert answers.fallback.tolist() == [None, None, "popular"]
    with pytest.raises(ValueError, match="user_id: 7 is of the wrong type; this model's ids are text"):
        served.predict(rows({"user_id": 7}))


def test_a_column_of_numbers_with_gaps_is_read(town: RecommenderService) -> None:
    frame = pd.DataFrame({"user_id": [0.0, np.nan], "k": [1.0, np.nan]})
    assert [len(each) for each in town.predict(frame).item_ids] == [1, 6]


def test_answers_are_plain_json(tmp_path: Path) -> None:
    answers = service(tmp_path / "saved", EASE()).predict(rows({"user_id": 0}, {}))
    records = json.loads(str(answers.to_json(orient="records")))
    assert records[0]["fallback"] is None
    assert isinstance(records[0]["item_ids"][0], int)


def test_the_example_shows_every_sort_of_request(town: RecommenderService) -> None:
    answers = town.predict(town.example())
    assert answers.fallback.tolist() == [None, None, None, "popular"]


def test_attributes_of_customers_are_not_saved(tmp_path: Path) -> None:
    attributes = pd.DataFrame({"user_id": range(5), "age": [20, 30, 40, 50, 60]})
    served = service(tmp_path / "saved", train=replace(TOWN, user_table=attributes))
    assert served.bundle.train.user_table is None
    assert "age" not in pd.read_parquet(tmp_path / "saved/train/users.parquet")


@pytest.mark.parametrize("policy", [CategoryCap(1), Chain([CategoryCap(1)])])
def test_a_request_is_filtered_before_the_policy_sees_the_scores(tmp_path: Path, policy: object) -> None:
    """A cap of one item per category counts the items that may be shown, not those that the request excludes."""
    served = service(tmp_path / "saved", policy=policy)
    first = served.predict(rows({"user_id": 0})).item_ids[0]
    assert len(first) == 3  # one of each category
    second = served.predict(rows({"user_id": 0, "exclude": first})).item_ids[0]
    assert len(second) == 3
    assert not set(first) & set(second)
    assert served.predict(rows({"user_id": 0, "candidates": [1, 4]})).item_ids[0] in ([1], [4])  # of one category


def test_the_fallback_of_a_policy_obeys_the_request(tmp_path: Path) -> None:
    rules = [AtStores([OwnStore()], [Sold()])]
    served = service(tmp_path / "saved", policy=Chain(rules, [CategoryCap(1)], fallback="popular_at_store"))
    sold_at_s0 = served.predict(rows({"user_id": 0})).item_ids[0]
    answers = served.predict(rows({"user_id": 0, "exclude": sold_at_s0}))
    assert answers.fallback[0] == "policy: popular_at_store"
    assert not set(answers.item_ids[0]) & set(sold_at_s0)
    assert len(answers.item_ids[0]) == 3  # of what all stores sold, one of each category
    assert served.predict(rows({"user_id": 0, "candidates": []})).item_ids[0] == []


def test_eight_threads_get_the_answers_of_one(tmp_path: Path) -> None:
    served = service(tmp_path / "saved", ProfileKNN(ProfileTable(), k=3))
    requests = [rows({"user_id": n % 5} if n % 2 else {"history": [n % 6, (n + 1) % 6]}) for n in range(12)]
    alone = [served.predict(each).to_dict("records") for each in requests]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda each: served.predict(each).to_dict("records"), requests)) == alone


@pytest.mark.slow
def test_two_services_of_one_process_share_the_engine(tmp_path: Path) -> None:
    both = [service(tmp_path / name, ProfileKNN(ProfileTable(), k=3)) for name in ("one", "other")]
    alone = both[0].predict(both[0].example()).to_dict("records")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: both[n % 2].predict(both[0].example()).to_dict("records"), range(12)))
    assert answers == [alone] * 12


def test_a_history_that_goes_on_after_the_cutoff_is_profiled_as_of_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile as of the training cutoff would see events in the future, a negative recency."""
    served = service(tmp_path / "saved", ProfileKNN(ProfileTable(), k=3))
    recency = []
    embed = ProfileTable.embed

    def observed(table: ProfileTable, users: Histories, at: int | np.ndarray) -> np.ndarray:
        recency.extend(table.table(users, at).recency_days.dropna())
        return embed(table, users, at)

    monkeypatch.setattr(ProfileTable, "embed", observed)
    events = [{"item_id": 1, "timestamp": AT - 9 * DAY}, {"item_id": 2, "timestamp": AT + 20 * DAY}]
    alone = served.predict(rows({"history": events}))
    assert recency == pytest.approx([1 / DAY])
    together = served.predict(rows({"user_id": 0}, {"history": events}, {"history": events[:1]}))
    assert together.scores[1] == alone.scores[0]
    assert recency[1:] == pytest.approx([3, 1 / DAY, 9])
