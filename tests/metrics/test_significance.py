import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omniretail.metrics.significance import bootstrap_interval, holm, paired_test


def test_the_interval_covers_the_true_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = rng.beta(0.3, 2.0, size=(300, 400))  # skewed like accuracies; a column is an experiment
    low, high = bootstrap_interval(samples, n_resamples=500)
    mean = 0.3 / 2.3
    covered = ((low <= mean) & (high >= mean)).mean()
    assert 0.92 < covered < 0.98  # 0.95, give or take two standard errors of 400 experiments and the skewness


def test_the_interval_agrees_with_scipy():
    values = np.random.default_rng(0).random(500)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=5000, rng=1).confidence_interval
    np.testing.assert_allclose(bootstrap_interval(values, n_resamples=5000), theirs, atol=1e-3)


def test_missing_values_are_left_out():
    values = np.random.default_rng(0).random((400, 3))
    values[::2, 1] = np.nan
    values[:, 2] = np.nan
    low, high = bootstrap_interval(values)
    assert low[1] < np.nanmean(values[:, 1]) < high[1]
    assert high[1] - low[1] > 1.2 * (high[0] - low[0])  # half the users: wider by about the root of two
    assert np.isnan([low[2], high[2]]).all()


def test_the_seed_decides_the_interval():
    values = np.random.default_rng(0).random(50)
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_paired_test_against_scipy():
    rng = np.random.default_rng(0)
    a = pd.Series(rng.random(200))
    b = a + rng.normal(0.01, 0.1, 200)
    assert paired_test(a, b) == pytest.approx(stats.ttest_rel(a, b).pvalue)


def test_users_are_matched_by_id():
    rng = np.random.default_rng(0)
    a = pd.Series(rng.random(50), index=[f"u{i}" for i in range(50)])
    b = a + rng.normal(0.01, 0.01, 50)
    shuffled = b.sample(frac=1, random_state=0)
    assert paired_test(a, shuffled) == pytest.approx(paired_test(a, b))


def test_users_without_both_values_are_left_out():
    a = pd.Series([0.1, 0.4, np.nan, 0.2, 0.9], index=list("abcde"))
    b = pd.Series([0.2, 0.7, 0.3, np.nan], index=list("abcd"))
    assert paired_test(a, b) == pytest.approx(stats.ttest_rel([0.1, 0.4], [0.2, 0.7]).pvalue)


@pytest.mark.parametrize("values", [[0.3, 0.3, 0.1], [0.5], [], [np.nan, np.nan]])
def test_nothing_to_tell_apart(values):
    same = pd.Series(values, dtype=float)
    assert paired_test(same, same) == 1.0


def test_a_constant_gain_is_certain():
    a = pd.Series([0.0, 0.25, 0.5])
    assert paired_test(a, a + 0.25) == 0.0


def test_paired_test_keeps_its_error_rate():
    rng = np.random.default_rng(0)
    p_values = [paired_test(*(pd.Series(rng.beta(0.3, 2, 100)) for _ in "ab")) for _ in range(500)]
    assert 0.03 < np.mean(np.array(p_values) < 0.05) < 0.07


def test_holm_by_hand():
    # sorted 0.01, 0.013, 0.03, 0.2, times 4, 3, 2, 1: 0.04, 0.039 (raised to 0.04), 0.06, 0.2
    np.testing.assert_allclose(holm(np.array([0.03, 0.01, 0.2, 0.013])), [0.06, 0.04, 0.2, 0.04])


def test_holm_never_exceeds_one():
    np.testing.assert_array_equal(holm(np.array([0.9, 0.8])), [1.0, 1.0])
    assert holm(np.array([])).size == 0
