import numpy as np
import pandas as pd
import pytest

from omniretail.profile.segments.effect_sizes import CATEGORIES, NUMBERS, effect_sizes, lifts

LABELS = np.repeat([1, 2, 3], [100, 60, 10])


def profile() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "noise": rng.normal(size=170),
            "spend_28": np.where(LABELS == 1, 10, 5) + rng.normal(size=170),
            "rarely_known": np.where(np.arange(170) % 20 == 0, LABELS, np.nan),
            "constant": 1.0,
            "age": np.where(LABELS == 2, "65+", np.where(rng.random(170) < 0.5, "65+", "19-24")),
            "member": LABELS == 1,
        }
    )


def test_cohens_d_by_hand() -> None:
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 5.0, 6.0, 7.0, np.nan]})
    found = effect_sizes(table, np.array([1, 1, 1, 2, 2, 2, 2]), min_customers=2)
    assert list(found.columns) == list(NUMBERS)
    assert found["mean"].tolist() == [2, 6]
    assert found.mean_others.tolist() == [6, 2]
    np.testing.assert_allclose(found.d, [-4, 4])  # both sides vary by 1


def test_largest_difference_first() -> None:
    found = effect_sizes(profile(), LABELS)
    assert found[found.segment == 1].feature.tolist()[0] == "spend_28"
    assert found.d[0] > 3
    assert found.groupby("segment").d.apply(lambda d: d.abs().is_monotonic_decreasing).all()
    assert set(found.feature) == {"spend_28", "noise"}  # numbers that vary and that enough customers have
    assert set(found.segment) == {1, 2}  # the third is too small
    assert set(effect_sizes(profile(), LABELS, min_customers=10).segment) == {1, 2, 3}
    assert len(effect_sizes(profile(), LABELS, top=1)) == 2


def test_redundant_features_are_left_out() -> None:
    table = profile().assign(spend_91=lambda own: -3 * own.spend_28 + 1)
    first = effect_sizes(table, LABELS).query("segment == 1")
    assert len({"spend_28", "spend_91"} & set(first.feature)) == 1
    both = effect_sizes(table, LABELS, max_correlation=1.1).query("segment == 1")
    assert {"spend_28", "spend_91"} <= set(both.feature)


def test_neither_side_varies() -> None:
    found = effect_sizes(pd.DataFrame({"x": np.repeat([1.0, 0.0], 30)}), np.repeat([1, 2], 30))
    assert found.d.tolist() == [np.inf, -np.inf]


def test_lift_by_hand() -> None:
    table = pd.DataFrame({"age": ["old"] * 30 + ["young"] * 10 + ["old"] * 10 + ["young"] * 30 + [None] * 5})
    found = lifts(table, np.repeat([1, 2], [40, 45]))
    assert list(found.columns) == list(CATEGORIES)
    old = found[(found.segment == 1) & (found.value == "old")].iloc[0]
    assert (old.share, old.share_others, old.lift) == (0.75, 0.25, 3.0)
    assert old.h == pytest.approx(2 * (np.arcsin(0.75**0.5) - np.arcsin(0.25**0.5)))


def test_lifts_of_customers_and_of_flags() -> None:
    found = lifts(profile(), LABELS, top=2)
    assert set(found.segment) == {1, 2}
    assert found.feature[0] == "member"
    assert found.value[found.feature == "member"].eq("True").all()  # the complement is left out
    assert np.isinf(found[(found.segment == 1) & (found.value == "True")].lift).all()


def test_nothing_to_compare() -> None:
    one = np.ones(170, dtype=int)
    assert effect_sizes(profile(), one).empty
    assert lifts(profile(), one).empty
    assert list(effect_sizes(profile(), one).columns) == list(NUMBERS)
    assert effect_sizes(profile()[["age"]], LABELS).empty
    assert lifts(profile()[["noise"]], LABELS).empty
    assert effect_sizes(profile().head(1), LABELS[:1]).empty
    with pytest.raises(ValueError, match="the profile has 170 customers, and 5 have a segment"):
        effect_sizes(profile(), LABELS[:5])
