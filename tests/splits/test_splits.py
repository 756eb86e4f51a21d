"""Each split by hand on six events, and what all of them promise on a random shop."""

import ibis
import pandas as pd
import pytest

from omniretail.core.errors import SettingsError
from omniretail.schema import DataError, Tables
from omniretail.splits.cutoff import Cutoff, Split, Stage
from omniretail.splits.fixed import Fixed
from omniretail.splits.last_basket import LastBasket
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import training_view
from tests.conftest import shop_events, tables_of

DAY = pd.Timedelta(days=1)
START = pd.Timestamp("2024-01-01")


def log(*rows: tuple) -> Tables:
    """Rows of (user, item, day)."""
    events = pd.DataFrame(rows, columns=["user_id", "item_id", "day"])
    events["timestamp"] = START + events.pop("day") * DAY
    return tables_of(events.assign(event_type="purchase", channel="online", basket_id=events.timestamp.dt.day))


def items(part: Cutoff, side: str) -> list:
    return sorted(getattr(part, side).to_pandas().item_id)


def test_temporal_windows_are_half_open() -> None:
    tables = log((1, "a", 0), (1, "b", 9), (1, "c", 10), (2, "d", 19), (2, "e", 20), (2, "f", 29.5))
    split = Temporal(horizon_days=10)
    val, test = split.cutoff(tables.events, "val"), split.cutoff(tables.events, "test")
    assert (items(val, "before"), items(val, "held_out")) == (["a", "b"], ["c", "d"])
    assert (items(test, "before"), items(test, "held_out")) == (["a", "b", "c", "d"], ["e", "f"])
    assert test.at == START + 20 * DAY


def test_temporal_end_can_be_set() -> None:
    tables = log((1, "a", 0), (1, "b", 9), (1, "c", 10))
    cut = Temporal(horizon_days=1, end="2024-01-11").cutoff(tables.events, "test")
    assert (items(cut, "before"), items(cut, "held_out")) == (["a"], ["b"])


def test_an_end_with_an_offset_is_the_same_time_in_utc() -> None:
    tables = log((1, "a", 0), (1, "b", 9.1), (1, "c", 9.3))
    cuts = [
        Temporal(horizon_days=1, end=end).cutoff(tables.events, "test")
        for end in ("2024-01-11T00:00-05:00", "2024-01-11T05:00")
    ]
    assert cuts[0].at == cuts[1].at == START + pd.Timedelta("9 days 05:00:00")
    assert [items(cut, "held_out") for cut in cuts] == [["c"], ["c"]]
    assert training_view(tables, cuts[0]).at == pd.Timestamp(cuts[1].at).timestamp()


def test_an_end_that_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError, match="'soon' is not a time in ISO 8601, such as 2018-01-01"):
        Temporal(end="soon").cutoff(log((1, "a", 0)).events, "test")


def test_leave_last_holds_out_one_per_user() -> None:
    tables = log((1, "a", 0), (1, "b", 1), (1, "c", 2), (2, "x", 0), (2, "y", 1))
    val, test = LeaveLast().cutoff(tables.events, "val"), LeaveLast().cutoff(tables.events, "test")
    assert (items(val, "before"), items(val, "held_out")) == (["a", "x", "y"], ["b"])
    assert (items(test, "before"), items(test, "held_out")) == (["a", "b", "x", "y"], ["c"])


def test_leave_last_breaks_ties_by_the_order_of_the_file() -> None:
    tables = log((1, "b", 0), (1, "c", 0), (1, "a", 0))
    assert items(LeaveLast().cutoff(tables.events, "test"), "held_out") == ["a"]


def test_last_basket_holds_out_a_whole_basket() -> None:
    tables = log((1, "a", 0), (1, "b", 1), (1, "b2", 1), (1, "c", 2), (1, "c2", 2), (2, "x", 0), (2, "y", 1))
    val, test = LastBasket().cutoff(tables.events, "val"), LastBasket().cutoff(tables.events, "test")
    assert (items(val, "before"), items(val, "held_out")) == (["a", "x", "y"], ["b", "b2"])
    assert (items(test, "before"), items(test, "held_out")) == (["a", "b", "b2", "x", "y"], ["c", "c2"])


def test_without_a_basket_id_each_time_is_a_basket_and_no_row_is_lost() -> None:
    tables = log((1, "a", 0), (1, "b", 1), (1, "b2", 1), (1, "c", 2), (1, "d", 3), (1, "d2", 3))
    events = tables.events.mutate(basket_id=tables.events.item_id.startswith("b").ifelse("bag", None))
    val, test = LastBasket().cutoff(events, "val"), LastBasket().cutoff(events, "test")
    assert (items(val, "before"), items(val, "held_out")) == (["a", "b", "b2"], ["c"])
    assert (items(test, "before"), items(test, "held_out")) == (["a", "b", "b2", "c"], ["d", "d2"])


def with_folds() -> Tables:
    events = shop_events()
    return tables_of(events.assign(fold=["test" if n % 5 == 0 else "train" for n in range(len(events))]))


def test_fixed_keeps_the_published_folds_and_carves_validation_from_train() -> None:
    events = with_folds().events
    test, val = Fixed().cutoff(events, "test"), Fixed(val_share=0.3).cutoff(events, "val")
    n_train = test.before.count().execute()
    assert n_train + test.held_out.count().execute() == events.count().execute()
    assert val.before.count().execute() + val.held_out.count().execute() == n_train
    pairs = val.held_out.select("user_id", "item_id").distinct().count().execute()
    assert 0.2 < pairs / test.before.select("user_id", "item_id").distinct().count().execute() < 0.4
    other = Fixed(val_share=0.3, salt="another").cutoff(events, "val")
    assert not other.held_out.to_pandas().equals(val.held_out.to_pandas())


def numbered_events() -> ibis.Table:
    return tables_of(with_folds().events.to_pandas().reset_index(names="row")).events


SPLITS = [Temporal(horizon_days=20), LeaveLast(), LastBasket(), Fixed()]


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: type(split).__name__)
@pytest.mark.parametrize("stage", ["val", "test"])
def test_nothing_is_both_known_and_judged(split: Split, stage: Stage) -> None:
    cut = split.cutoff(numbered_events(), stage)
    known, judged = set(cut.before.to_pandas().row), set(cut.held_out.to_pandas().row)
    assert known
    assert judged
    assert known.isdisjoint(judged)


@pytest.mark.parametrize("split", SPLITS, ids=lambda split: type(split).__name__)
def test_validation_knows_nothing_that_test_judges(split: Split) -> None:
    events = numbered_events()
    val, test = split.cutoff(events, "val"), split.cutoff(events, "test")
    seen = set(val.before.to_pandas().row) | set(val.held_out.to_pandas().row)
    assert seen.isdisjoint(test.held_out.to_pandas().row)
    assert set(val.before.to_pandas().row) < set(test.before.to_pandas().row)


@pytest.mark.parametrize(
    ("split", "message"),
    [
        (Temporal(horizon_days=400), "no events before"),
        (Temporal(end="2030-01-01"), "no events in the test window"),
        (LeaveLast(min_events=10_000), "no user has 10000 events"),
        (LastBasket(min_baskets=10_000), "no user has 10000 baskets"),
        (Fixed(), "needs a fold"),
    ],
)
def test_nothing_to_judge_is_said_clearly(split: Split, message: str, shop: Tables) -> None:
    with pytest.raises(DataError, match=message):
        split.cutoff(shop.events, "test")


def test_baskets_are_asked_for() -> None:
    tables = tables_of(shop_events().drop(columns="basket_id"))
    with pytest.raises(DataError, match="needs basket_id"):
        LastBasket().cutoff(tables.events, "test")


@pytest.mark.parametrize(
    "split", [Temporal(1), LeaveLast(), LastBasket(), Fixed()], ids=lambda each: type(each).__name__
)
@pytest.mark.parametrize("word", ["valid", "v", "TEST"])
def test_only_a_stage_is_cut(split: Split, word: Stage) -> None:
    events = log((1, "a", 0), (1, "b", 1), (1, "c", 2), (1, "d", 3)).events.mutate(fold=ibis.literal("train"))
    with pytest.raises(SettingsError, match=f"stage='{word}': choose val or test"):
        split.cutoff(events, word)
