"""``refit=False``: validation is in histories at test time, says when training stops, and is never learned from."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from omniretail.core.errors import SettingsError
from omniretail.dataset import Dataset
from omniretail.models.recommenders.sasrec import SASRec
from omniretail.models.training import Training
from omniretail.schema import Tables
from omniretail.splits.cutoff import Split, drawn, protocol_text
from omniretail.splits.last_basket import LastBasket
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.target_channel import TargetChannel
from omniretail.splits.temporal import Temporal
from omniretail.views.cached import load_fold
from omniretail.views.fold import fold
from tests.conftest import shop_events, tables_of
from tests.splits.test_splits import log
from tests.views.test_fold import plain

SPLITS = [Temporal(20), LeaveLast(), LastBasket(), TargetChannel("offline", Temporal(20))]


def frozen(split: Split) -> Split:
    return dataclasses.replace(split, refit=False)  # type: ignore[type-var]


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: type(split).__name__)
def test_training_ends_before_validation_and_histories_before_test(split: Split, shop: Tables, tmp_path: Path) -> None:
    learned = load_fold(shop, split, "val", tmp_path)
    refitted = load_fold(shop, split, "test", tmp_path)
    made = load_fold(shop, frozen(split), "test", tmp_path)
    np.testing.assert_array_equal(made.train.histories.item_idx, learned.train.histories.item_idx)
    assert made.train.at == learned.train.at
    assert (made.user_ids.tolist(), made.n_held_out.tolist()) == (
        refitted.user_ids.tolist(),
        refitted.n_held_out.tolist(),
    )
    for row in range(0, len(made.user_ids), 7):
        mine = made.train.items.decode(made.users.take([row]).item_idx)
        whole = refitted.train.items.decode(refitted.users.take([row]).item_idx)
        assert list(mine) == [item for item in whole if item in set(made.train.items.ids)]
    assert (made.users.lengths > learned.train.histories.take(made.users.user_idx).lengths).any()


def test_users_are_asked_at_the_cutoff_of_test(shop: Tables, tmp_path: Path) -> None:
    made = load_fold(shop, frozen(Temporal(20)), "test", tmp_path)
    refitted = load_fold(shop, Temporal(20), "test", tmp_path)
    assert (made.users.as_of(made.train.at) == refitted.train.at).all()
    assert made.train.at == refitted.train.at - 20 * 24 * 3600


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: type(split).__name__)
@pytest.mark.parametrize("stage", ["val", "test"])
def test_validation_is_that_of_the_split_at_both_stages(split: Split, stage: str, shop: Tables, tmp_path: Path) -> None:
    judged = load_fold(shop, split, "val", tmp_path)
    validation = load_fold(shop, frozen(split), stage, tmp_path).train.validation  # type: ignore[arg-type]
    assert validation is not None
    np.testing.assert_array_equal(validation.held_out.toarray(), judged.held_out.toarray())
    np.testing.assert_array_equal(validation.users.item_idx, judged.users.item_idx)


def test_the_cache_gives_back_what_was_made(shop: Tables, tmp_path: Path) -> None:
    split = frozen(LeaveLast())
    made = fold(shop, drawn(split, shop.feedback, "test"))
    for _ in range(2):
        kept = load_fold(shop, split, "test", tmp_path)
        for name, values in plain(made).items():
            np.testing.assert_array_equal(plain(kept)[name], values, err_msg=name)
        assert kept.train.validation is not None
        assert made.train.validation is not None
        np.testing.assert_array_equal(kept.train.validation.users.item_idx, made.train.validation.users.item_idx)


def test_an_item_first_seen_in_validation_is_left_out_of_histories() -> None:
    tables = log(*((user, item, day) for user in (1, 2) for day, item in enumerate("abc")), (1, "new", 3), (1, "a", 4))
    made = fold(tables, drawn(frozen(LeaveLast()), tables.events, "test"))
    assert list(made.train.items.ids) == ["a", "b", "c"]
    mine = made.users.take([made.user_ids.tolist().index(1)])
    assert list(made.train.items.decode(mine.item_idx)) == ["a", "b", "c"]


def test_what_validation_holds_changes_no_weight_but_when_training_stops() -> None:
    """Another validation, equal training: after a fixed number of epochs the networks are equal."""
    events = shop_events()
    tables = tables_of(events)
    in_time = events.sort_values("timestamp", kind="stable").groupby("user_id")
    last = in_time.filter(lambda mine: len(mine) >= 3).groupby("user_id").tail(2).index
    other = events.copy()
    other.loc[last, "item_id"] = other.loc[last, "item_id"].to_numpy()[::-1]
    known = set(events.drop(index=last).item_id)
    assert known == set(other.drop(index=last).item_id)
    weights = []
    for each in (tables, tables_of(other)):
        train = fold(each, drawn(frozen(LeaveLast()), each.events, "test")).train
        model = SASRec(dim=8, heads=1, max_len=10, training=Training(max_epochs=2)).fit(train)
        weights.append(model.weights_)
    for name, values in weights[0].items():
        np.testing.assert_array_equal(values, weights[1][name], err_msg=name)


def test_patience_is_judged_by_the_validation_of_the_split(shop: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    train = fold(shop, drawn(frozen(LeaveLast()), shop.events, "test")).train
    seen = []
    from omniretail.models.training import inner_validation

    def remember(self: inner_validation.InnerValidation, model: object, users: slice = slice(None)) -> np.ndarray:
        seen.append(self.held_out.toarray())
        return np.array([1.0, 1.0, 1.0, 1.0])

    monkeypatch.setattr(inner_validation.InnerValidation, "evaluate_users", remember)
    SASRec(dim=8, heads=1, max_len=10, training=Training(max_epochs=2, patience=1)).fit(train)
    assert train.validation is not None
    np.testing.assert_array_equal(seen[0], train.validation.held_out.toarray())


def test_results_of_the_two_protocols_bear_other_names() -> None:
    names = [protocol_text(split) for each in SPLITS for split in (each, frozen(each))]
    assert len(set(names)) == 2 * len(SPLITS)
    assert "Temporal(horizon_days=20, end=None, refit=False)" in names


def test_other_tasks_refuse_it(shop: Tables) -> None:
    data = Dataset(shop, frozen(Temporal(20)))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"task=recommendation and cross_channel; set split\.refit=true"):
        data.required_split()
    assert data.fold("test").train.validation is not None
