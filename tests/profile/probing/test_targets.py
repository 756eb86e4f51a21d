import ibis
import numpy as np
import pandas as pd
import pytest

from omniretail.profile.probing.targets import Target, attribute_targets, behaviour_targets
from tests.profile.probing.factories import customers, window

ITEMS = pd.DataFrame({"item_id": [1, 2, 3, 4], "department": ["food", "food", "garden", None]})
ABC = customers("a", "b", "c")


def of(lines: list[tuple[str, int, float]], min_buyers: int = 1) -> dict[str, Target]:
    levels = {"bought": "department", "none": "brand"}
    targets = behaviour_targets(ibis.memtable(window(lines)), ABC, ITEMS, levels, min_buyers)
    return {each.name: each for each in targets}


def test_customers_without_an_attribute_are_left_out_of_that_question_only_and_counted() -> None:
    users = pd.DataFrame(
        {"user_id": range(6), "age": ["old", "old", None, "young", "young", "young"], "sex": list("ffmmff")}
    )
    age, sex = attribute_targets(users, {"age": "age", "sex": "sex", "income": "income"}, min_customers=2)
    assert (age.classes, sex.classes) == (["old", "young"], ["f", "m"])
    assert age.labelled.tolist() == [0, 1, 3, 4, 5]
    assert age.left_out == {"unknown": 1}
    assert len(sex.labelled) == 6
    np.testing.assert_array_equal(age.truth[[0, 3]], [[1, 0], [0, 1]])


def test_customers_of_rare_classes_are_left_out_and_counted() -> None:
    users = pd.DataFrame({"user_id": range(6), "home": ["own", "own", "rent", "rent", "boat", None]})
    (home,) = attribute_targets(users, {"home": "home"}, min_customers=2)
    assert home.classes == ["own", "rent"]
    assert home.left_out == {"unknown": 1, "in a class of fewer than 2": 1}
    assert home.labelled.tolist() == [0, 1, 2, 3]


def test_without_a_users_table_there_are_no_attributes() -> None:
    assert attribute_targets(None, {"age": "age"}, min_customers=2) == []


def test_churn_spend_and_purchases_by_hand() -> None:
    targets = of([("a", 1, 2.5), ("a", 3, 4.0), ("b", 2, 1.0), ("b", 4, 7.0), ("stranger", 1, 99.0)])
    np.testing.assert_array_equal(targets["churn"].truth[:, 0], [0, 0, 1])
    np.testing.assert_array_equal(targets["spend"].truth[:, 0], [6.5, 8.0, 0.0])
    assert targets["bought"].classes == ["food", "garden"]
    np.testing.assert_array_equal(targets["bought"].truth, [[1, 1], [1, 0], [0, 0]])
    assert "none" not in targets, "the item table lacks that column"


def test_an_unknown_amount_counts_as_zero() -> None:
    assert of([("a", 1, np.nan), ("a", 2, 3.0)])["spend"].truth[:, 0].tolist() == [3.0, 0.0, 0.0]


def test_without_amounts_there_is_no_question_about_spend() -> None:
    lines = ibis.memtable(window([("a", 1, 1.0)]).drop(columns="value"))
    assert [each.name for each in behaviour_targets(lines, ABC, ITEMS, {}, 1)] == ["churn"]


@pytest.mark.parametrize(
    "lines",
    [[("a", 1, 1.0), ("a", 3, 1.0)], [("a", 1, 1.0), ("b", 1, 1.0), ("c", 1, 1.0), ("b", 3, 1.0)]],
    ids=["only one buys it", "all buy it"],
)
def test_classes_that_too_few_or_all_buy_are_left_out_and_counted(lines: list[tuple[str, int, float]]) -> None:
    target = of(lines, min_buyers=2)["bought"]
    assert target.classes == []
    assert target.left_out == {"classes that too few or nearly all customers buy": 2}


def test_everybody_visits_or_nobody_with_a_history_does() -> None:
    assert of([(name, 1, 1.0) for name in "abc"])["churn"].truth.sum() == 0
    assert of([("stranger", 1, 1.0)])["churn"].truth.sum() == 3
