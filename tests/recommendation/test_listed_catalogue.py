"""Items that nobody has taken yet: in the catalogue by a setting, scored by what is known of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from omniretail import models
from omniretail.core.errors import DataError, SettingsError
from omniretail.dataset import Dataset
from omniretail.models.saving import load, save
from omniretail.models.training import Training
from omniretail.policies.lists import NewArrivals
from omniretail.splits.leave_last import LeaveLast
from omniretail.views.fold import fold
from tests.conftest import tables_of

KINDS = ["bread", "milk"]
SOLD, N_USERS = 20, 120
"""Items 0 to 19 in turn bread and milk; a user has one kind; 20 is bread and 21 is milk, and only in the item table."""


def shop() -> Any:
    rng = np.random.default_rng(0)
    rows = [
        (user, 2 * int(item) + user % 2, pd.Timestamp("2024-01-01") + pd.Timedelta(days=day))
        for user in range(N_USERS)
        for day, item in enumerate(rng.permutation(SOLD // 2)[:6])
    ]
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    items = pd.DataFrame({"item_id": range(SOLD + 2), "category": [KINDS[item % 2] for item in range(SOLD + 2)]})
    return tables_of(events.assign(event_type="purchase", channel="online", basket_id=range(len(events))), items=items)


SHOP = shop()


def training(catalogue: Any = "listed") -> Any:
    return fold(SHOP, LeaveLast().cutoff(SHOP.events, "test"), catalogue)


def test_listed_items_are_in_the_catalogue_and_sold_ones_alone_by_default() -> None:
    assert training("sold").train.items.ids.tolist() == list(range(SOLD))
    listed = training()
    assert listed.train.items.ids.tolist() == list(range(SOLD + 2))
    sold = training("sold").train
    np.testing.assert_array_equal(
        listed.train.items.decode(listed.train.histories.item_idx), sold.items.decode(sold.histories.item_idx)
    )
    assert listed.train.item_table.category.tolist()[-2:] == KINDS


def test_the_cache_tells_the_two_catalogues_from_each_other(tmp_path: Path) -> None:
    data = Dataset(SHOP, LeaveLast(), tmp_path)
    sizes = [len(data.fold("test", catalogue).train.items) for catalogue in ("sold", "listed", "sold")]  # type: ignore[arg-type]
    assert sizes == [SOLD, SOLD + 2, SOLD]


def test_without_an_item_table_there_is_nothing_to_list() -> None:
    events = SHOP.events.to_pandas()
    tables = tables_of(events)
    with pytest.raises(DataError, match=r"task\.catalogue=listed needs an item table"):
        fold(tables, LeaveLast().cutoff(tables.events, "test"), "listed")


FEATURES = {"item_features": ["category"], "id_dropout": 0.5}
MADE = {
    "SASRec": {"dim": 16, "learning_rate": 0.005, "heads": 1, "max_len": 10, **FEATURES},
    "GRU4Rec": {"dim": 16, "learning_rate": 0.01, "hidden": 16, "max_len": 10, **FEATURES},
    "TwoTower": {"dim": 16, "learning_rate": 0.01, "max_len": 10, "id_dropout": 0.5},
}


@pytest.mark.parametrize("name", MADE)
def test_a_new_item_is_offered_to_those_who_take_its_kind(name: str, tmp_path: Path) -> None:
    view = training()
    model = getattr(models, name)(**MADE[name], training=Training(max_epochs=30)).fit(view.train)
    scores = model.score(view.users)
    likes_bread = view.user_ids % 2 == 0
    better = np.where(likes_bread, scores[:, SOLD] > scores[:, SOLD + 1], scores[:, SOLD + 1] > scores[:, SOLD])
    assert better.mean() > 0.95
    save(model, tmp_path / "model")
    np.testing.assert_allclose(load(tmp_path / "model").score(view.users), scores, atol=1e-5)


@pytest.mark.parametrize("name", ["SASRec", "GRU4Rec", "HSTU", "BSARec"])
def test_a_network_that_knows_ids_alone_ranks_new_items_last(name: str) -> None:
    view = training()
    scores = getattr(models, name)(dim=8, max_len=10, training=Training(max_epochs=1)).fit(view.train).score(view.users)
    assert (scores[:, SOLD:] < scores[:, :SOLD].min(axis=1, keepdims=True)).all()


@pytest.mark.parametrize("loss", ["softmax", "sampled_softmax"])
def test_new_items_are_no_negatives(loss: str) -> None:
    """Own vectors of items that nobody has taken stay as they were drawn."""
    view = training()
    settings = {"dim": 8, "heads": 1, "max_len": 10, "loss": loss, "item_features": ["category"]}
    before, after = (
        models.SASRec(**settings, training=Training(max_epochs=epochs))
        .fit(view.train)
        .weights_["encoder.items.own.weight"]
        for epochs in (1, 3)
    )
    np.testing.assert_array_equal(before[SOLD:], after[SOLD:])
    assert not np.array_equal(before[:SOLD], after[:SOLD])


def test_new_arrivals_are_shown_alone() -> None:
    view = training()
    policy = NewArrivals().fit(view.train)
    scores = policy(np.zeros((3, SOLD + 2)), view.users.take(range(3)))
    assert np.isinf(scores[:, :SOLD]).all()
    assert (scores[:, SOLD:] == 0).all()
    with pytest.raises(SettingsError, match=r"every item has been taken; set task\.catalogue=listed"):
        NewArrivals().fit(training("sold").train)
