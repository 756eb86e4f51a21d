import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.audit.audited_views import arrays
from omniretail.audit.detect import differing
from omniretail.audit.perturbations import everything
from omniretail.schema import Tables
from omniretail.splits import temporal
from omniretail.splits.cutoff import Cutoff
from omniretail.splits.target_channel import TargetChannel
from omniretail.splits.temporal import Temporal
from omniretail.views.cached import load_fold
from omniretail.views.fold import Fold, fold, training_view
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items, user_items
from tests.conftest import shop_events, tables_of

SPLIT = Temporal(horizon_days=20)


def plain(view: Fold) -> dict[str, np.ndarray]:
    """Every array of a fold, by name."""
    judged = {f"judged.{f.name}": np.asarray(getattr(view.users, f.name)) for f in dataclasses.fields(Histories)}
    judged |= {"user_ids": view.user_ids, "n_held_out": view.n_held_out, "held_out": view.held_out.toarray()}
    return arrays(view.train) | judged


def test_the_arrays_say_what_the_log_says(shop: Tables) -> None:
    made = fold(shop, SPLIT.cutoff(shop.events, "test"))
    events = shop.events.to_pandas()
    cut = pd.Timestamp(made.train.at, unit="s")
    known, later = events[events.timestamp < cut], events[events.timestamp >= cut]
    user = made.user_ids[5]
    row = made.users.take([5])
    mine = known[known.user_id == user].sort_values(["timestamp", "basket_id", "item_id"])
    assert list(made.train.items.decode(row.item_idx)) == list(mine.item_id)
    assert list(row.timestamp) == [int(t.timestamp()) for t in mine.timestamp]
    assert list(row.basket) == list(pd.factorize(mine.basket_id)[0])
    wanted = set(later[later.user_id == user].item_id)
    assert made.n_held_out[5] == len(wanted)
    assert set(made.train.items.decode(made.held_out[[5]].indices)) == wanted & set(known.item_id)


def test_late_users_and_items_are_judged_but_unknown(shop: Tables) -> None:
    made = fold(shop, SPLIT.cutoff(shop.events, "test"))
    cold_users = made.users.user_idx == -1
    assert cold_users.any()
    assert (made.users.lengths[cold_users] == 0).all()
    assert made.n_held_out.sum() > made.held_out.nnz, "the shop should have items first seen after the cutoff"


def test_what_happens_after_the_cutoff_changes_nothing_before_it() -> None:
    events = shop_events()
    items = pd.DataFrame({"item_id": np.arange(200), "name": "n"})
    tables = tables_of(events, items=items)
    at = SPLIT.cutoff(tables.events, "test").at
    assert at is not None
    other = everything(tables, at, np.random.default_rng(1))
    views = []
    for log in (tables.events, other.events):
        shuffled = tables_of(log.to_pandas().sample(frac=1, random_state=3), items=items)
        split = Temporal(horizon_days=20, end=str(at + pd.Timedelta(days=20)))
        views.append(arrays(fold(shuffled, split.cutoff(shuffled.events, "test")).train))
    assert len(views[0]) >= 10
    assert differing(*views) == {}


@pytest.mark.parametrize("stage", ["val", "test"])
def test_cached_equals_fresh(shop: Tables, tmp_path: Path, stage: str) -> None:
    fresh = plain(fold(shop, SPLIT.cutoff(shop.events, stage)))
    for _ in range(2):  # written, then read
        cached = plain(load_fold(shop, SPLIT, stage, tmp_path))
        assert cached.keys() == fresh.keys()
        for key, array in fresh.items():
            np.testing.assert_array_equal(cached[key], array, err_msg=key)
            assert cached[key].dtype == array.dtype, key


def test_another_split_or_version_is_another_fold(shop: Tables, tmp_path: Path) -> None:
    load_fold(shop, SPLIT, "test", tmp_path)
    load_fold(shop, Temporal(horizon_days=10), "test", tmp_path)
    load_fold(shop, SPLIT, "val", tmp_path)
    load_fold(dataclasses.replace(shop, version="2"), SPLIT, "test", tmp_path)
    assert len(list((tmp_path / "folds").iterdir())) == 4


def test_events_without_a_basket_id_are_a_basket_per_time_and_histories_are_in_time_order() -> None:
    views = pd.DataFrame({"item_id": [1, 2, 3], "day": [0, 30, 60]})
    bought = pd.DataFrame({"item_id": [4, 5, 6], "day": [10, 10, 40], "basket_id": ["t1", "t1", "t2"]})
    events = pd.concat([views, bought], ignore_index=True).assign(user_id=7, event_type="any", channel="online")
    events["timestamp"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(events.pop("day"), unit="D")
    tables = tables_of(events)
    train = training_view(tables, Cutoff(tables.events, tables.events.limit(0)))
    assert train.items.decode(train.histories.item_idx).tolist() == [1, 4, 5, 2, 6, 3]
    assert train.histories.basket.tolist() == [0, 1, 1, 2, 3, 4]


def test_the_code_of_a_split_inside_a_split_is_part_of_the_key(shop: Tables, tmp_path: Path, monkeypatch) -> None:
    source = Path(temporal.__file__).read_text()
    for version, text in enumerate((source, source, source + "\n# another line\n")):
        module = tmp_path / f"inner_{version}.py"
        module.write_text(text)
        monkeypatch.setattr(temporal, "__file__", str(module))
        load_fold(shop, TargetChannel("offline", SPLIT), "test", tmp_path)
        assert len(list((tmp_path / "folds").iterdir())) == (2 if version == 2 else 1)


def test_without_basket_ids_one_time_is_one_basket() -> None:
    tables = tables_of(shop_events().drop(columns="basket_id"))
    histories = fold(tables, SPLIT.cutoff(tables.events, "test")).train.histories
    same_user = histories.rows[1:] == histories.rows[:-1]
    same_time = np.diff(histories.timestamp) == 0
    assert (np.diff(histories.basket)[same_user] == ~same_time[same_user]).all()


def test_take_picks_rows_in_the_order_asked() -> None:
    histories = Histories.of([[[1], [2, 3]], [], [[4]]], n_items=5)
    picked = histories.take([2, -1, 0])
    assert list(picked.item_idx) == [4, 1, 2, 3]
    assert list(picked.offsets) == [0, 1, 1, 4]
    assert list(picked.n_baskets) == [1, 0, 2]
    assert list(histories.take(slice(0, 2)).offsets) == [0, 3, 3]


def test_histories_cannot_be_changed_by_a_model() -> None:
    histories = Histories.of([[[1, 1, 0]]], n_items=2)
    assert user_items(histories).toarray().tolist() == [[1, 2]]
    assert binary_user_items(histories).toarray().tolist() == [[1, 1]]
    assert list(histories.item_idx) == [1, 1, 0]
    with pytest.raises(ValueError, match="read-only"):
        histories.item_idx[0] = 0


def test_items_outside_the_catalogue_are_refused() -> None:
    with pytest.raises(IndexError, match=r"0\.\.4"):
        Histories.of([[[5]]], n_items=5)
