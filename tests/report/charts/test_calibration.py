"""Reliability in bins and as diagrams."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from omniretail.profile.propensity.expected_spend import SpendForecast
from omniretail.report.charts import calibration
from omniretail.report.charts.calibration import reliability, reliability_chart, spend_chart

N = 200


def drawn(n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and outcomes drawn by them."""
    rng = np.random.default_rng(seed)
    probability = rng.random((N, n_classes)) * np.linspace(1, 0.2, n_classes)
    return probability, (rng.random((N, n_classes)) < probability).astype(float)


def spend() -> SpendForecast:
    rng = np.random.default_rng(0)
    truth = rng.exponential(20, N)
    return SpendForecast(truth * 0.5, truth + rng.normal(0, 1, N), np.full(N, 20.0), truth, 0.25, "scale")


def test_bins_are_of_equal_size_and_the_interval_is_wilsons() -> None:
    probability, truth = (each[:, 0] for each in drawn(1))
    bins = reliability(truth, probability, n_bins=7)
    assert bins["count"].tolist() == [29] * 4 + [28] * 3
    assert bins.predicted.is_monotonic_increasing
    assert (bins["count"] * bins.observed).sum() == pytest.approx(truth.sum())
    assert (bins["count"] * bins.predicted).sum() == pytest.approx(probability.sum())
    for row in bins.to_dict("records"):
        reference = binomtest(round(row["count"] * row["observed"]), row["count"]).proportion_ci(method="wilson")
        assert (row["low"], row["high"]) == pytest.approx((reference.low, reference.high))


def test_the_order_of_equal_probabilities_does_not_matter() -> None:
    truth, probability = np.repeat([0.0, 1.0], 50), np.tile([0.1, 0.1, 0.1, 0.6], 25)
    shuffled = np.random.default_rng(0).permutation(100)
    bins = reliability(truth, probability)
    assert bins["count"].tolist() == [75, 25]
    pd.testing.assert_frame_equal(bins, reliability(truth[shuffled], probability[shuffled]))


def test_fewer_customers_than_bins() -> None:
    bins = reliability(np.array([0.0, 1.0, 1.0]), np.array([0.9, 0.2, 0.4]))
    assert bins.observed.tolist() == [1.0, 1.0, 0.0]
    assert bins.predicted.tolist() == [0.2, 0.4, 0.9]


def test_the_chart_shows_both_and_everything_lies_inside_it() -> None:
    probability, truth = (each[:, 0] for each in drawn(1))
    spec = reliability_chart("t", "c", truth, probability / 2, probability).spec.to_dict()
    (rows,) = [pd.DataFrame(each) for each in spec["datasets"].values() if "when" in each[0]]
    for when, predicted in (("before calibration", probability / 2), ("after calibration", probability)):
        bins = reliability(truth, predicted)
        np.testing.assert_allclose(rows[rows.when == when][["predicted", "observed"]], bins[["predicted", "observed"]])
    top = spec["layer"][0]["encoding"]["x"]["scale"]["domain"][1]
    assert top >= rows[["predicted", "high"]].to_numpy().max()


def test_the_chart_of_spend_shows_means_of_tenths() -> None:
    forecast = spend()
    frame = calibration.spend(forecast)
    order = np.argsort(forecast.after)
    expected = [[of[part].mean() for of in (forecast.after, forecast.truth)] for part in np.array_split(order, 10)]
    np.testing.assert_allclose(frame[frame.when == "after calibration"][["predicted", "observed"]], expected)
    assert '"expected, EUR"' in spend_chart(forecast, "EUR").json()
    assert '"spent"' in spend_chart(forecast, "").json()
