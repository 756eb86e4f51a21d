import numpy as np
import pandas as pd
import pytest

from omniretail.profile.segments.drift import DRIFT, domain_auc, drift, psi

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=5000)


def test_psi_by_hand() -> None:
    first, second = pd.Series(["a"] * 60 + ["b"] * 40), pd.Series(["a"] * 20 + ["b"] * 80)
    p, q = np.array([60.5, 40.5]) / 101, np.array([20.5, 80.5]) / 101
    assert psi(first, second) == pytest.approx(((q - p) * np.log(q / p)).sum())


def test_psi_of_equal_and_of_shifted_windows() -> None:
    assert psi(NORMAL, RNG.normal(size=5000)) < 0.02
    assert psi(NORMAL, NORMAL) == 0.0
    assert 0.1 < psi(NORMAL, NORMAL + 0.4) < 0.25
    assert psi(NORMAL, NORMAL + 1) > 0.25
    assert psi(NORMAL, NORMAL * 3) > 0.25


def test_psi_of_constants_and_of_frequent_values() -> None:
    assert psi(np.ones(100), np.ones(300)) == 0.0
    assert psi(np.ones(100), np.full(100, 1.001)) > 0.25
    mostly_zero = np.where(np.arange(1000) < 800, 0.0, RNG.random(1000))
    assert psi(mostly_zero, np.where(mostly_zero == 0, 0.1, mostly_zero)) > 0.25


def test_psi_of_missing_values() -> None:
    half = np.where(np.arange(5000) % 2, NORMAL, np.nan)
    assert psi(NORMAL, half) > 0.25
    assert psi(half, half) == 0.0
    assert psi(np.full(50, np.nan), np.full(50, np.nan)) == 0.0
    assert psi(pd.Series(["a", None] * 50), pd.Series(["a", None] * 50)) == 0.0


def test_drift_reads_every_feature() -> None:
    first = pd.DataFrame({"still": NORMAL, "spend": NORMAL, "one": 1.0, "age": np.where(NORMAL > 0, "old", "young")})
    second = first.assign(spend=NORMAL + 2)[["one", "age", "spend", "still"]]
    found = drift(first, second)
    assert list(found.columns) == list(DRIFT)
    assert found.feature[0] == "spend"
    assert found.set_index("feature").reading.to_dict() == {
        "spend": "large",
        "still": "stable",
        "one": "stable",
        "age": "stable",
    }
    assert found["second"][0] - found["first"][0] == pytest.approx(2)
    assert found.set_index("feature").psi["one"] == 0.0


def test_chance_is_exceeded_by_one_feature_in_twenty() -> None:
    first, second = (pd.DataFrame(RNG.normal(size=(400, 400))) for _ in range(2))
    found = drift(first, second)
    assert 0.02 < (found.psi > found.chance).mean() < 0.09


def test_drift_refuses_different_features() -> None:
    first = pd.DataFrame({"spend": [1.0], "visits": [2.0]})
    with pytest.raises(ValueError, match=r"visits is missing in the second window; age is missing in the first window"):
        drift(first, pd.DataFrame({"spend": [1.0], "age": [2.0]}))
    with pytest.raises(ValueError, match="both windows need customers"):
        drift(first, first.head(0))
    assert drift(first, first).psi.tolist() == [0.0, 0.0]  # one customer


def test_domain_auc_of_equal_and_of_shifted_windows() -> None:
    ids = np.array([f"u{i}" for i in range(500)])
    own = RNG.normal(size=(500, 8))
    assert domain_auc(own, own, ids, ids) == pytest.approx(0.5)
    again = own + RNG.normal(0, 0.3, own.shape)
    assert domain_auc(own + RNG.normal(0, 0.3, own.shape), again, ids, ids) == pytest.approx(0.5, abs=0.06)
    assert domain_auc(own, again + 0.7, ids, ids) > 0.8


def test_domain_auc_is_chance_where_only_customers_are_recognised() -> None:
    ids, one_hot = np.arange(60), np.eye(60)
    assert domain_auc(one_hot, one_hot * 1.0, ids, ids) == pytest.approx(0.5, abs=0.01)


def test_domain_auc_needs_customers() -> None:
    two = np.arange(4.0).reshape(2, 2)
    assert 0 <= domain_auc(two, two + 1, np.array([1, 2]), np.array([1, 2])) <= 1
    with pytest.raises(ValueError, match="two customers or more"):
        domain_auc(two[:1], two[:1], np.array([1]), np.array([1]))
    with pytest.raises(ValueError, match="not finite"):
        domain_auc(two, two * np.nan, np.array([1, 2]), np.array([1, 2]))
