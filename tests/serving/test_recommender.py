"""Recommendations as they are served: the lists that the model was judged by, and what a request may ask of them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.models.recommenders.bpr import BPR
from omniretail.models.recommenders.ease import EASE
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.top_k import recommend
from omniretail.policies.chain import Chain
from omniretail.policies.seen import hide_seen
from omniretail.policies.stores import AtStores, OwnStore, Sold
from omniretail.serving.recommender import RecommenderService
from tests.policies.factories import TOWN
from tests.serving.factories import NAMED, rows, service


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> RecommenderService:
    return service(tmp_path_factory.mktemp("town") / "kept")


def test_a_known_customer_gets_the_list_that_was_judged(town: RecommenderService) -> None:
    ranked, scores = recommend(PersonalTop().fit(NAMED), NAMED.histories.take([0, 1, 2, 3]), k=4)
    said = town.predict(rows(*({"user_id": user, "k": 4} for user in range(4))))
    assert said.item_ids.tolist() == ranked.tolist()
    assert said.scores.tolist() == scores.tolist()
    assert said.fallback.tolist() == [None] * 4
    assert set(said.model_version) == {"town/1"}


def test_names_come_with_the_items_where_they_are_known(town: RecommenderService) -> None:
    said = town.predict(rows({"user_id": 2, "k": 6})).iloc[0]
    assert said["names"] == [["tea", "milk", "bread", "jam", "eggs", None][item] for item in said.item_ids]


def test_a_history_given_stands_in_place_of_the_known_one(town: RecommenderService) -> None:
    known, given = town.predict(rows({"user_id": 0, "k": 1}, {"user_id": 0, "history": [3, 3], "k": 1})).item_ids
    assert known != given == [3]


@pytest.mark.parametrize("nothing", [{}, {"user_id": 99}, {"history": []}, {"user_id": 0, "history": []}])
def test_of_whom_nothing_is_known_gets_what_is_popular_and_is_told_so(town: RecommenderService, nothing: dict) -> None:
    said = town.predict(rows({"user_id": None, **nothing}, {"user_id": 0})).iloc[0]
    assert said.fallback == "popular"
    assert said.item_ids[0] == 4  # two customers took it; of equals the lower number
    at_store = town.predict(rows({"user_id": None, **nothing, "store_id": "s1", "k": 1})).iloc[0]
    assert (at_store.fallback, at_store.item_ids) == ("popular_at_store", [4])
    online = town.predict(rows({"user_id": None, **nothing, "channel": "online", "k": 1})).iloc[0]
    assert online.fallback == "popular_in_channel"


def test_all_items_of_a_history_unknown_is_like_no_history_and_counted(town: RecommenderService) -> None:
    said = town.predict(rows({"history": [70, 71]})).iloc[0]
    assert (said.fallback, said.unknown_items) == ("popular", 2)


def test_each_row_gets_as_many_as_it_asks_for(town: RecommenderService) -> None:
    said = town.predict(rows({"user_id": 0, "k": 1}, {"user_id": 0, "k": 5}, {"user_id": 0}))
    assert [len(each) for each in said.item_ids] == [1, 5, 6]  # the usual ten, of six items


def test_white_list_black_list_and_filters(town: RecommenderService) -> None:
    asked = [
        {"candidates": [4, 5, 700]},
        {"exclude": [0, 1, 2]},
        {"filters": {"category": "c1"}},
        {"filters": {"category": ["c1", "c2"], "price": {"min": 2, "max": 3}}},
        {"candidates": [4], "exclude": [4]},
    ]
    said = town.predict(rows(*({"user_id": 0, **each} for each in asked))).item_ids
    assert [set(each) for each in said] == [{4, 5}, {3, 4, 5}, {1, 4}, {1, 2}, set()]


def test_the_policy_is_the_judged_one_and_its_fallback_is_told(tmp_path: Path) -> None:
    policy = Chain([AtStores([OwnStore()], [Sold()])], [hide_seen], fallback="unconstrained")
    served = service(tmp_path / "kept", policy=policy)
    ranked, _ = recommend(PersonalTop().fit(NAMED), NAMED.histories, k=6, policy=policy.fit(NAMED))
    said = served.predict(rows(*({"user_id": user} for user in range(5))))
    assert [[item for item in row if item >= 0] for row in ranked.tolist()[:4]] == said.item_ids.tolist()[:4]
    assert said.fallback.tolist()[0] == "policy: unconstrained"  # s0 sold nothing that is new to this customer


def test_in_a_store_only_what_it_sells_is_shown(tmp_path: Path) -> None:
    served = service(tmp_path / "kept", policy=Chain([AtStores([OwnStore()], [Sold()])]))
    said = served.predict(rows({"user_id": 0}, {"user_id": 0, "store_id": "s1"}, {"history": [5], "store_id": "s2"}))
    assert [set(each) for each in said.item_ids] == [{0, 1}, {3, 4}, {2}]


def test_a_model_with_a_vector_per_user_serves_strangers_what_is_popular(tmp_path: Path) -> None:
    served = service(tmp_path / "kept", BPR(factors=4, iterations=3))
    said = served.predict(rows({"user_id": 0}, {"history": [1, 2]}, {"user_id": 1}))
    assert said.fallback.tolist() == [None, "popular", None]


def test_a_history_of_ten_thousand_events_is_answered(town: RecommenderService) -> None:
    said = town.predict(rows({"history": list(range(6)) * 1666 + [3, 3, 3, 3], "k": 1})).iloc[0]
    assert said.item_ids == [3]


def test_ids_of_text_are_told_from_numbers(tmp_path: Path) -> None:
    text = replace(
        NAMED, users=type(NAMED.users).of([f"u{n}" for n in range(5)]), items=type(NAMED.items).of(list("abcdef"))
    )
    text = replace(text, item_table=NAMED.item_table.assign(item_id=list("abcdef")))
    served = service(tmp_path / "kept", train=text)
    said = served.predict(rows({"user_id": "u0", "k": 2}, {"history": ["d", "zz"], "k": 1}, {"user_id": None}))
    assert said.item_ids.tolist()[1] == ["d"]
    assert said.unknown_items.tolist() == [0, 1, 0]
    assert said.fallback.tolist() == [None, None, "popular"]
    with pytest.raises(ValueError, match="user_id: 7 is of the wrong type; this model's ids are text"):
        served.predict(rows({"user_id": 7}))


def test_a_column_of_numbers_with_gaps_is_read(town: RecommenderService) -> None:
    frame = pd.DataFrame({"user_id": [0.0, np.nan], "k": [1.0, np.nan]})
    assert [len(each) for each in town.predict(frame).item_ids] == [1, 6]


def test_answers_are_plain_json(tmp_path: Path) -> None:
    answers = service(tmp_path / "kept", EASE()).predict(rows({"user_id": 0}, {}))
    said = json.loads(str(answers.to_json(orient="records")))
    assert said[0]["fallback"] is None
    assert isinstance(said[0]["item_ids"][0], int)


def test_the_example_shows_every_sort_of_request(town: RecommenderService) -> None:
    said = town.predict(town.example())
    assert said.fallback.tolist() == [None, None, None, "popular"]


def test_customers_attributes_are_not_kept(tmp_path: Path) -> None:
    facts = pd.DataFrame({"user_id": range(5), "age": [20, 30, 40, 50, 60]})
    served = service(tmp_path / "kept", train=replace(TOWN, user_table=facts))
    assert served.parts.train.user_table is None
    assert "age" not in pd.read_parquet(tmp_path / "kept/train/users.parquet")
