import numpy as np
import pandas as pd
import pytest

from omniretail.profile.tags import learn, tags_from
from omniretail.profile.tags.rules import Bound
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.views.profile.dictionary import FIXED, KINDS
from tests.profile.tags.factories import default_tags, population, shop, tag

TOP = {"quantile": 0.75}


def frame(**columns: list[float]) -> pd.DataFrame:
    n = len(next(iter(columns.values())))
    return pd.DataFrame({feature.name: np.full(n, np.nan) for feature in FIXED} | columns)


def learned(table: pd.DataFrame, **rule) -> LearnedTags:
    return learn([tag(**rule)], table, FIXED)


def test_unknown_feature_names_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"tag some: there is no feature recency_dayz; did you mean recency_days"):
        learned(frame(visits=[1.0]), feature="recency_dayz", below=5)


def test_a_tag_on_a_feature_of_another_shop_is_left_out_with_a_reason() -> None:
    learned_tags = learned(frame(visits=[1.0]), feature="share_department=PRODUCE", above=0.5)
    assert learned_tags.tags == ()
    assert "this shop has no share_department=PRODUCE" in learned_tags.left_out["some"]


def test_a_tag_on_a_feature_that_nobody_has_is_left_out_with_a_reason() -> None:
    learned_tags = learned(
        frame(visits=[1.0]), all=[{"feature": "visits", "above": 0}, {"feature": "spend", "above": 0}]
    )
    assert learned_tags.left_out == {"some": "spend is missing for all customers"}
    assert learned_tags.apply(frame(visits=[1.0])).shape == (1, 0)


def test_quantiles_are_learned_once_and_applied_to_others() -> None:
    learned_tags = learned(frame(visits=[0.0, 1, 2, 3, 4]), feature="visits", above=TOP)
    assert learned_tags.thresholds == {("visits", 0.75): 3.0}
    assert learned_tags.apply(frame(visits=[0.0, 1, 2, 3, 4]))["some"].tolist() == [False] * 4 + [True]
    assert learned_tags.apply(frame(visits=[3.0, 3.5, 9, 9]))["some"].tolist() == [False, True, True, True]


def test_the_rule_shows_learned_thresholds() -> None:
    learned_tags = learned(frame(visits=[0.0, 1, 2, 3, 4]), feature="visits", above=TOP, below=9)
    assert learned_tags.rule(learned_tags.tags[0]) == "visits above 3 (quantile 0.75) and below 9"


def test_nan_is_not_tagged_and_does_not_count_for_quantiles() -> None:
    table = frame(overdue=[1.0, np.nan, 2.0, np.inf, 3.0])
    learned_tags = learned(table, feature="overdue", above={"quantile": 0.5})
    assert learned_tags.thresholds["overdue", 0.5] == 2.0
    assert learned_tags.apply(table)["some"].tolist() == [False, False, False, False, True]
    assert not learned(table, feature="overdue", below=9).apply(table)["some"][1]


def test_all_conditions_must_hold() -> None:
    table = frame(visits=[1.0, 5, 5], spend=[9.0, 1, 9])
    learned_tags = learned(table, all=[{"feature": "visits", "above": 2}, {"feature": "spend", "above": 2}])
    assert learned_tags.apply(table)["some"].tolist() == [False, False, True]


def test_identical_customers_do_not_stand_out() -> None:
    table = frame(visits=[3.0] * 5)
    assert not learned(table, feature="visits", above=TOP).apply(table)["some"].any()


def test_nobody_to_tag() -> None:
    learned_tags = learned(frame(visits=[1.0]), feature="visits", above=0)
    assert learned_tags.apply(frame(visits=[1.0]).iloc[:0]).shape == (0, 1)


def test_the_window_is_the_features_own_unless_given() -> None:
    table = frame(visits_91=[1.0])
    assert learned(table, feature="visits_91", above=0).tags[0].window == "91 days"
    assert learned(table, feature="visits_91", above=0, window="a quarter").tags[0].window == "a quarter"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"feature": "visits", "above": 5, "below": 5}, "tag some: visits cannot be above 5 and below 5 at once"),
        (
            {"all": [{"feature": "visits", "above": 5}, {"feature": "visits", "below": 3}]},
            "visits cannot be above 5 and below 3",
        ),
        (
            {"feature": "visits", "above": {"quantile": 0.8}, "below": {"quantile": 0.2}},
            "above quantile 0.8 and below quantile 0.2",
        ),
        ({"feature": "visits", "above": {"quantile": 80}}, r"the quantile 80 does not lie in 0\.\.1"),
        ({"feature": "visits", "above": {"quantile": float("nan")}}, "above takes a number or {quantile: q}"),
        ({"feature": "visits", "above": float("nan")}, "above takes a number"),
        ({"feature": "visits", "above": {"quantil": 0.8}}, "unknown key 'quantil'; did you mean quantile"),
        ({"feature": "visits", "above": "many"}, "above takes a number"),
        ({"feature": "visits"}, "visits has neither above nor below"),
        ({"feature": "visits", "abov": 5}, "unknown key 'abov'; did you mean above"),
        ({}, "needs either a feature"),
        ({"all": []}, "the list under all is empty"),
        ({"all": [{"above": 5}]}, "a condition names no feature"),
        ({"feature": "visits", "above": 1, "label": ""}, "it has no label"),
    ],
)
def test_mistakes_are_named(rule, message) -> None:
    with pytest.raises(ValueError, match=message):
        tag(**rule)


def test_an_unknown_tag_names_the_nearest_and_a_left_out_one_its_reason() -> None:
    tags = [tag("frequent", feature="visits", above=1), tag("rich", feature="spend", above=1)]
    learned_tags = learn(tags, frame(visits=[1.0]), FIXED)
    assert learned_tags.named("frequent").label == "Frequent"
    with pytest.raises(ValueError, match="no tag frequen; did you mean frequent"):
        learned_tags.named("frequen")
    with pytest.raises(ValueError, match="rich is not available in this data: spend is missing"):
        learned_tags.named("rich")


def test_bounds_of_two_kinds_are_no_contradiction() -> None:
    assert tag(feature="visits", above={"quantile": 0.8}, below=0.5).conditions[0].below == Bound(0.5)


def test_every_default_tag_uses_features_of_the_dictionary() -> None:
    fixed = {feature.name for feature in FIXED}
    for each in default_tags():
        for name in each.features:
            assert name in fixed or any(name.startswith(f"{kind}_") and "=" in name for kind in KINDS), name


def test_default_tags_in_a_shop_with_prices() -> None:
    everybody = population(shop(prices=True))
    assert everybody.learned.left_out == {}
    assert len(everybody.learned.tags) == len(default_tags()) >= 20
    assert everybody.tagged.to_numpy().any(axis=1).mean() > 0.8


def test_default_tags_in_a_shop_without_prices() -> None:
    everybody = population(shop(prices=False))
    money = {"champion", "big_spender", "bargain_hunter", "coupon_lover", "own_brand_fan", "premium_shopper"}
    assert set(everybody.learned.left_out) == money | {"fresh_food_lover", "one_store", "many_stores"}
    assert len(everybody.learned.tags) + len(everybody.learned.left_out) == len(default_tags())


def test_names_come_from_the_yaml() -> None:
    rules = {"a": {"label": "A", "definition": "D", "feature": "visits", "above": 1}}
    assert [each.name for each in tags_from(rules)] == ["a"]
