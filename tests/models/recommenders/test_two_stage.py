from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import SettingsError
from omniretail.models.protocols import UnknownUserError
from omniretail.models.recommenders.bpr import BPR
from omniretail.models.recommenders.personal_top import PersonalTop
from omniretail.models.recommenders.popular import Popular
from omniretail.models.recommenders.ranking.windows import DAY_S
from omniretail.models.recommenders.recent_popular import RecentPopular
from omniretail.models.recommenders.two_stage import TwoStage
from omniretail.models.saving import load
from omniretail.policies.seen import allow_seen
from omniretail.serving.bundle import write_recommender
from omniretail.serving.pyfunc import load_service
from omniretail.views.histories import Histories
from omniretail.views.train import Train
from tests.models.factories import train_on

START, N_USERS, N_ITEMS, N_DAYS = 1_500_000_000, 120, 24, 40


def rhythms() -> Train:
    """A customer has three habits, bought every day; each is given up for another one between days 4 and 29."""
    rng, baskets = np.random.default_rng(0), []
    for _ in range(N_USERS):
        own = rng.permutation(N_ITEMS)[:6]
        starts = rng.integers(4, 30, 3)
        baskets.append([[int(own[n + 3 * (day >= starts[n])]) for n in range(3)] for day in range(N_DAYS)])
    bare = train_on(baskets, N_ITEMS)
    timestamp = START + bare.histories.basket.astype(np.int64) * DAY_S
    items = bare.item_table.assign(category=["bread", "milk"] * 12)
    return replace(
        bare, histories=replace(bare.histories, timestamp=timestamp), item_table=items, at=START + N_DAYS * DAY_S
    )


TRAIN = rhythms()


def two_stage(**settings: Any) -> TwoStage:
    members = {"personal_top": PersonalTop(), "popular": Popular()}
    small: dict[str, Any] = {
        "members": members,
        "horizon_days": 3.0,
        "n_estimators": 30,
        "min_child_samples": 10,
        "candidates": 10,
        "num_leaves": 7,
    }
    return TwoStage(**(small | settings))


@pytest.fixture(scope="module")
def model() -> TwoStage:
    return two_stage().fit(TRAIN)


def hits(model: Any, train: Train = TRAIN) -> float:
    """Share of what customers buy now in their first three places."""
    best = np.argsort(-model.score(train.histories), axis=1, kind="stable")[:, :3]
    now = train.histories.item_idx.reshape(N_USERS, N_DAYS, 3)[:, -1]
    return float(np.mean([len(set(a) & set(b)) / 3 for a, b in zip(best.tolist(), now.tolist(), strict=True)]))


@pytest.mark.parametrize("objective", ["lambdarank", "rank_xendcg", "binary"])
def test_learns_that_old_habits_are_over(objective: str) -> None:
    assert hits(PersonalTop().fit(TRAIN)) < 0.7
    assert hits(two_stage(objective=objective).fit(TRAIN)) > 0.95


def test_the_history_of_a_request_changes_the_answer(model: TwoStage) -> None:
    now = Histories.of([[[7]] * 5, [[9]] * 5], N_ITEMS)
    now = replace(now, timestamp=TRAIN.at + now.timestamp * DAY_S)
    assert model.score(now).argmax(axis=1).tolist() == [7, 9]


def test_what_is_no_candidate_follows_in_the_first_members_order(model: TwoStage) -> None:
    model = two_stage(candidates=2, members={"personal_top": PersonalTop()}).fit(TRAIN)
    users = TRAIN.histories.take([0, 5])
    base = np.argsort(-PersonalTop().fit(TRAIN).score(users), axis=1, kind="stable")
    order = np.argsort(-model.score(users), axis=1, kind="stable")
    np.testing.assert_array_equal(order[:, 2:], base[:, 2:])
    assert {*order[0, :2]} == {*base[0, :2]}


def test_members_are_fitted_again_on_all_events(model: TwoStage) -> None:
    np.testing.assert_array_equal(vars(model.members_["popular"])["popularity_"], Popular().fit(TRAIN).popularity_)


def test_no_window_to_learn_from_leaves_the_first_members_order() -> None:
    once = train_on([[[0, 1]], [[1]], [[1, 2]]], 3)
    scores = two_stage().fit(once).score(once.histories)
    base = PersonalTop().fit(once).score(once.histories)
    np.testing.assert_array_equal(np.argsort(-scores, kind="stable"), np.argsort(-base, kind="stable"))


def test_a_candidate_list_longer_than_the_catalogue_is_the_catalogue() -> None:
    assert hits(two_stage(candidates=10_000).fit(TRAIN)) > 0.95


def test_one_member_and_equal_members_give_the_same_lists() -> None:
    one = two_stage(members={"a": PersonalTop()}, features=["history"]).fit(TRAIN)
    two = two_stage(members={"a": PersonalTop(), "b": PersonalTop()}, features=["history"]).fit(TRAIN)
    np.testing.assert_array_equal(one.score(TRAIN.histories), two.score(TRAIN.histories))


def test_items_without_attributes_or_without_an_item_table_column() -> None:
    category = pd.Series(TRAIN.item_table.category).mask(TRAIN.item_table.item_id % 3 == 0)
    some = replace(TRAIN, item_table=TRAIN.item_table.assign(category=category))
    assert hits(two_stage().fit(some)) > 0.95
    none = replace(TRAIN, item_table=TRAIN.item_table[["item_id"]])
    assert hits(two_stage().fit(none)) > 0.95


def test_a_member_that_cannot_score_a_user() -> None:
    stranger = Histories.of([[[3]]], N_ITEMS)
    mixed = two_stage(members={"bpr": BPR(iterations=2), "recent": RecentPopular()}).fit(TRAIN)
    assert np.isfinite(mixed.score(stranger)).all()
    with pytest.raises(UnknownUserError, match="cannot score 1 of 1"):
        two_stage(members={"bpr": BPR(iterations=2)}).fit(TRAIN).score(stranger)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"members": {}}, r"members is empty; name a recommender: \+model/recommender@model.members.tifu_knn=tifu_knn"),
        ({"members": {"a-b": Popular()}}, "members: 'a-b' becomes a folder's name"),
        ({"features": []}, "features=.* must be some of members, history"),
    ],
)
def test_settings_that_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        two_stage(**settings)


def test_seeds_are_averaged() -> None:
    one, other, both = (two_stage(seed=s, n_seeds=n, n_estimators=5).fit(TRAIN) for s, n in ((1, 1), (2, 1), (1, 2)))
    assert both.models_text_.tolist() == [*one.models_text_, *other.models_text_]
    assert not np.array_equal(one.score(TRAIN.histories), other.score(TRAIN.histories))


def test_trees_never_see_the_window_before_the_labels() -> None:
    """What happens inside the latest window changes labels alone, not the features of that window."""
    start = TRAIN.at - 3 * DAY_S
    other = np.where(TRAIN.histories.timestamp >= start, 0, TRAIN.histories.item_idx).astype(np.int32)
    changed = replace(TRAIN, histories=replace(TRAIN.histories, item_idx=other))
    one, two = (two_stage(n_windows=1).examples(each) for each in (TRAIN, changed))
    np.testing.assert_array_equal(one.x, two.x)
    assert not np.array_equal(one.bought, two.bought)


def test_served_from_its_bundle(model: TwoStage, tmp_path: Path) -> None:
    write_recommender(tmp_path / "bundle", model, allow_seen, TRAIN)
    service = load_service(tmp_path / "bundle")
    fan = [{"item_id": 7, "timestamp": TRAIN.at + day * DAY_S} for day in range(5)]
    requests = pd.DataFrame([{"user_id": 0, "history": None}, {"user_id": None, "history": fan}], dtype=object)
    answers = service.predict(requests)
    assert answers.item_ids[1][0] == 7
    assert answers.item_ids[0][0] == int(model.score(TRAIN.histories.take([0])).argmax())
    assert load(tmp_path / "bundle/model").label == "TwoStage (PersonalTop, Popular)"
