import numpy as np
import pytest

from omniretail.metrics.uplift import among, auuc, curves, qini, resampled, uplift_at


def drawn(n: int = 4000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outcome, treatment, true effect: half gain .4, half nothing."""
    rng = np.random.default_rng(seed)
    effect = np.where(np.arange(n) % 2, 0.4, 0.0)
    treated = rng.random(n) < 0.5
    return (rng.random(n) < 0.3 + effect * treated).astype(int), treated, effect


def test_curves_by_hand():
    y, treated = np.array([1, 0, 1, 0]), np.array([True, False, False, True])
    found = curves(y, treated, np.array([4.0, 3.0, 2.0, 1.0]))
    np.testing.assert_allclose(found.share, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(found.gain, [0, 0.5, 0.5, 0.25, 0])
    np.testing.assert_allclose(found.uplift, [0, 0, 0.5, 0.375, 0])


def test_the_end_is_the_average_effect_whatever_the_order():
    y, treated, _ = drawn(500)
    ate = y[treated].mean() - y[~treated].mean()
    for seed in range(3):
        found = curves(y, treated, np.random.default_rng(seed).random(500))
        assert found.gain[-1] == pytest.approx(ate)
        assert found.uplift[-1] == pytest.approx(ate)


def test_the_true_effect_is_worth_what_theory_says():
    y, treated, effect = drawn(200_000)
    assert qini(y, treated, effect) == pytest.approx(0.4 * 0.5 / 4, abs=0.005)  # gain .2 at half, then flat
    assert qini(y, treated, -effect) == pytest.approx(-0.4 * 0.5 / 4, abs=0.005)
    assert auuc(y, treated, effect) == pytest.approx(0.2 * 0.75, abs=0.005)
    assert uplift_at(y, treated, effect, 0.5) == pytest.approx(0.4, abs=0.01)


def test_one_score_for_all_is_a_random_order_and_its_order_does_not_matter():
    y, treated, _ = drawn(1000)
    flat = np.zeros(1000)
    assert qini(y, treated, flat) == pytest.approx(0)
    assert among(flat, 0.1).all()
    scores = np.round(np.random.default_rng(1).random(1000), 1)
    other = np.random.default_rng(2).permutation(1000)
    assert qini(y[other], treated[other], scores[other]) == pytest.approx(qini(y, treated, scores))


def test_intervals_hold_the_value_and_shrink_with_customers():
    width = {}
    for n in (1000, 16_000):
        y, treated, effect = drawn(n)
        low, high = np.quantile(resampled(y, treated, effect, 200)["qini"], [0.025, 0.975])
        assert low < qini(y, treated, effect) < high
        width[n] = high - low
    assert width[16_000] == pytest.approx(width[1000] / 4, rel=0.4)


def test_resamples_are_the_same_customers_for_every_score():
    y, treated, effect = drawn(1000)
    one, other = (resampled(y, treated, each, 50)["qini"] for each in (effect, effect + 1))
    np.testing.assert_allclose(one, other)


def test_share_without_a_group_has_no_uplift():
    assert np.isnan(uplift_at(np.array([1, 0]), np.array([True, False]), np.array([2.0, 1.0]), 0.5))


@pytest.mark.parametrize(("treated", "who"), [([True, True], "everybody"), ([False, False], "nobody")])
def test_no_control_group_no_effect(treated, who):
    with pytest.raises(ValueError, match=f"{who} was treated"):
        qini(np.array([1, 0]), np.array(treated), np.array([1.0, 0.0]))


@pytest.mark.parametrize(
    "metric", [qini, auuc, lambda *parts: uplift_at(*parts, 0.25), lambda *parts: resampled(*parts)["qini"][0]]
)
@pytest.mark.parametrize("dtype", [int, float])
def test_treatment_may_be_zero_and_one(metric, dtype):
    y, treated, effect = drawn(2000)
    assert metric(y, treated.astype(dtype), effect) == metric(y, treated, effect)
