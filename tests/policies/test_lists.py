from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.policies.chain import Chain
from omniretail.policies.lists import CategoryCap, Exclude
from omniretail.policies.offers import OffersInForce
from omniretail.schema import DataError
from tests.conftest import shop_events, tables_of
from tests.policies.factories import TOWN, shown, town

DAY_OF_CUTOFF = pd.Timestamp("1970-04-11")


def test_excluded_items_and_categories_are_never_shown(caplog, tmp_path) -> None:
    assert shown(Exclude([1, 5, 77]))[0] == [0, 2, 3, 4]
    assert "1 of 3 excluded items are not in the catalogue" in caplog.text
    assert shown(Exclude(where={"category": ["c0", "c1"]}))[0] == [2, 5]
    assert shown(Exclude([2], where={"category": ["c0"]}))[0] == [1, 4, 5]
    assert shown(Exclude())[0] == [0, 1, 2, 3, 4, 5]
    (tmp_path / "recall.csv").write_text("item_id\n0\n4\n")
    assert shown(Exclude(str(tmp_path / "recall.csv")))[0] == [1, 2, 3, 5]


@pytest.mark.parametrize("rule", [Exclude(where={"colour": ["red"]}), CategoryCap(column="colour")])
def test_a_column_that_is_not_there_is_named(rule) -> None:
    with pytest.raises(ValueError, match="the item table has no column colour; it has item_id, category"):
        rule.fit(TOWN)


def test_no_more_than_so_many_of_a_category() -> None:
    assert shown(CategoryCap(1))[0] == [0, 1, 2]
    assert shown(CategoryCap(2))[0] == [0, 1, 2, 3, 4, 5]


def test_a_cap_keeps_the_best_of_each_category_whatever_the_scores() -> None:
    rng = np.random.default_rng(0)
    rule = CategoryCap(2).fit(town([(0, 1, 0, [0])], 1, 30, 1))
    scores = rng.integers(0, 9, (20, 30)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.3] = -np.inf
    expected = scores.copy()
    for row in expected:
        for category in range(3):
            members = [item for item in range(category, 30, 3) if row[item] > -np.inf]
            for item in sorted(members, key=lambda item: (-row[item], item))[2:]:
                row[item] = -np.inf
    np.testing.assert_array_equal(rule(scores, TOWN.histories), expected)


def test_items_of_unknown_category_are_not_capped() -> None:
    train = town([(0, 1, 0, [0])], 1, 6, 1)
    train.item_table.loc[:, "category"] = [None, None, None, "a", "a", "a"]
    assert shown(CategoryCap(1), train)[0] == [0, 1, 2, 3]


def campaigns():
    days = {
        "runs": (-3, 1),
        "over": (-9, 0),
        "starts now": (0, 2),
        "to come": (1, 5),
        "reversed": (3, -3),
        "bare": (-1, 1),
    }
    start, end = (DAY_OF_CUTOFF + pd.to_timedelta(each, unit="D") for each in zip(*days.values(), strict=True))
    offers = pd.DataFrame({"offer_id": list(days), "start": start, "end": end})
    day = pd.Timedelta(days=1)
    offer_items = pd.DataFrame(
        {"offer_id": ["runs", "runs", "over", "starts now", "to come", "reversed"], "item_id": [1, 99, 2, 3, 4, 5]}
    )
    offer_events = pd.DataFrame(
        {
            "user_id": [0, 0, 1, 0],
            "offer_id": ["runs", "over", "starts now", "starts now"],
            "timestamp": [DAY_OF_CUTOFF - day, DAY_OF_CUTOFF - day, DAY_OF_CUTOFF - day, DAY_OF_CUTOFF],
            "event_type": "sent",
        }
    )
    return lambda: tables_of(shop_events(), offers=offers, offer_items=offer_items, offer_events=offer_events)


def test_offers_that_run_at_the_cutoff_and_no_others(caplog) -> None:
    assert shown(OffersInForce(campaigns(), for_recipients=False)) == [[1, 3]] * 5
    assert "1 offers end before they start and are never in force" in caplog.text
    assert "1 of 3 offers in force cover no item of the catalogue" in caplog.text


def test_offers_for_those_who_were_sent_them_in_time() -> None:
    assert shown(OffersInForce(campaigns())) == [[1], [3], [], [], []]
    rule, strangers = OffersInForce(campaigns()).fit(TOWN), TOWN.histories.take([-1])
    assert (rule(np.zeros((1, 6), dtype=np.float32), strangers) == -np.inf).all()


def test_a_customer_served_later_has_the_offers_in_force_then() -> None:
    users = TOWN.histories.take([0, 0, 0])
    times = TOWN.at + np.array([0, 86400 * 3 // 2, 86400 * 30])
    rule = OffersInForce(campaigns(), for_recipients=False).fit(TOWN)
    scores = rule(np.zeros((3, 6), dtype=np.float32), replace(users, served_at=times))
    assert [np.flatnonzero(row > -np.inf).tolist() for row in scores] == [[1, 3], [3, 4], []]
    own = OffersInForce(campaigns()).fit(TOWN)
    scores = own(np.zeros((3, 6), dtype=np.float32), replace(users, served_at=times))
    assert [np.flatnonzero(row > -np.inf).tolist() for row in scores] == [[1], [], []]


def test_where_no_offer_is_in_force_nothing_is_feasible_and_the_chain_falls_back() -> None:
    over = tables_of(
        shop_events(),
        offers=pd.DataFrame({"offer_id": ["over"], "start": [DAY_OF_CUTOFF], "end": [DAY_OF_CUTOFF]}),
        offer_items=pd.DataFrame({"offer_id": ["over"], "item_id": [1]}),
    )
    rule = OffersInForce(lambda: over, for_recipients=False)
    assert shown(rule) == [[]] * 5
    chain = Chain([rule], fallback="unconstrained")
    assert shown(chain) == [[0, 1, 2, 3, 4, 5]] * 5
    assert chain.decide(np.zeros((5, 6), dtype=np.float32), TOWN.histories).fell_back.all()


def test_a_source_without_offers_says_so() -> None:
    with pytest.raises(DataError, match="test shop has no table offers"):
        OffersInForce(lambda: tables_of(shop_events())).fit(TOWN)
