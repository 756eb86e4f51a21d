import ibis
import numpy as np
import pandas as pd
import pytest

from omniretail.profile.probing.targets import behaviour, facts
from tests.profile.probing.factories import customers, window

ITEMS = pd.DataFrame({"item_id": [1, 2, 3, 4], "department": ["food", "food", "garden", None]})
ABC = customers("a", "b", "c")


def of(lines: list[tuple[str, int, float]], at_least: int = 1) -> dict:
    found = behaviour(ibis.memtable(window(lines)), ABC, ITEMS, {"bought": "department", "none": "brand"}, at_least)
    return {each.name: each for each in found}


def test_who_did_not_say_is_left_out_of_that_question_only_and_counted():
    users = pd.DataFrame(
        {"user_id": range(6), "age": ["old", "old", None, "young", "young", "young"], "sex": list("ffmmff")}
    )
    age, sex = facts(users, {"age": "age", "sex": "sex", "income": "income"}, at_least=2)
    assert (age.classes, sex.classes) == (["old", "young"], ["f", "m"])
    assert age.known.tolist() == [0, 1, 3, 4, 5]
    assert age.left_out == {"not said": 1}
    assert len(sex.known) == 6
    np.testing.assert_array_equal(age.truth[[0, 3]], [[1, 0], [0, 1]])


def test_customers_of_rare_classes_are_left_out_and_counted():
    users = pd.DataFrame({"user_id": range(6), "home": ["own", "own", "rent", "rent", "boat", None]})
    (home,) = facts(users, {"home": "home"}, at_least=2)
    assert home.classes == ["own", "rent"]
    assert home.left_out == {"not said": 1, "in a class of fewer than 2": 1}
    assert home.known.tolist() == [0, 1, 2, 3]


def test_without_a_user_table_there_are_no_facts():
    assert facts(None, {"age": "age"}, at_least=2) == []


def test_churn_spend_and_purchases_by_hand():
    found = of([("a", 1, 2.5), ("a", 3, 4.0), ("b", 2, 1.0), ("b", 4, 7.0), ("stranger", 1, 99.0)])
    np.testing.assert_array_equal(found["churn"].truth[:, 0], [0, 0, 1])
    np.testing.assert_array_equal(found["spend"].truth[:, 0], [6.5, 8.0, 0.0])
    assert found["bought"].classes == ["food", "garden"]
    np.testing.assert_array_equal(found["bought"].truth, [[1, 1], [1, 0], [0, 0]])
    assert "none" not in found, "the item table lacks that column"


def test_an_amount_nobody_knows_counts_as_nought():
    assert of([("a", 1, np.nan), ("a", 2, 3.0)])["spend"].truth[:, 0].tolist() == [3.0, 0.0, 0.0]


def test_without_amounts_spend_is_not_asked():
    lines = ibis.memtable(window([("a", 1, 1.0)]).drop(columns="value"))
    assert [each.name for each in behaviour(lines, ABC, ITEMS, {}, 1)] == ["churn"]


@pytest.mark.parametrize(
    "lines",
    [[("a", 1, 1.0), ("a", 3, 1.0)], [("a", 1, 1.0), ("b", 1, 1.0), ("c", 1, 1.0), ("b", 3, 1.0)]],
    ids=["only one buys it", "all buy it"],
)
def test_words_that_too_few_or_all_buy_are_left_out_and_counted(lines):
    found = of(lines, at_least=2)["bought"]
    assert found.classes == []
    assert found.left_out == {"words that too few or nearly all buy": 2}


def test_everybody_comes_or_nobody_known_does():
    assert of([(name, 1, 1.0) for name in "abc"])["churn"].truth.sum() == 0
    assert of([("stranger", 1, 1.0)])["churn"].truth.sum() == 3
