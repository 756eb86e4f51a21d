"""Metrics of response models by hand, and their intervals."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from omniretail.metrics.significance import bootstrap_test
from omniretail.o2o.offers.metrics import columns, draws, measure, measured
from omniretail.report.tables.comparison import p_against
from omniretail.result import Result


def predictions(noise: float, seed: int = 0) -> pd.DataFrame:
    """100 customers with four mailings each of five offers; the less noise, the better the scores."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(100), 4), "offer_id": np.tile(np.arange(5), 80)})
    probability = rng.uniform(0.05, 0.5, 400)
    frame["truth"] = (rng.random(400) < probability).astype(float)
    noisy = probability + frame.truth * 0.1 + noise * np.random.default_rng(seed).normal(size=400)
    return frame.assign(score=np.clip(noisy, 0.01, 0.99))


def test_metrics_against_an_independent_implementation() -> None:
    truth, score, offer = columns(predictions(0.2))
    metrics = measure(truth, score, offer)
    assert metrics["auc"] == pytest.approx(roc_auc_score(truth, score))
    assert metrics["log_loss"] == pytest.approx(log_loss(truth, score))
    assert metrics["brier"] == pytest.approx(brier_score_loss(truth, score))
    each = [roc_auc_score(truth[offer == number], score[offer == number]) for number in range(5)]
    assert metrics["auc_per_offer"] == pytest.approx(np.mean(each))


def test_an_offer_that_nobody_redeemed_does_not_count_in_the_mean() -> None:
    truth, score, offer = np.array([0, 1, 0, 0.0]), np.array([0.1, 0.9, 0.3, 0.2]), np.array([0, 0, 1, 1])
    assert measure(truth, score, offer)["auc_per_offer"] == 1.0


def test_without_a_redemption_there_is_no_ranking_to_judge() -> None:
    metrics = measured(predictions(0.1).assign(truth=0.0), n_resamples=5)["metrics"].set_index("metric")
    assert metrics.loc[["auc", "auc_per_offer", "average_precision"], "value"].isna().all()
    assert np.isfinite(metrics.loc["brier", ["value", "low", "high"]].astype(float)).all()


def test_customers_are_drawn_with_all_their_rows() -> None:
    rows_of = predictions(0.2).sample(frac=1, random_state=0)
    for rows in draws(rows_of, 3):
        assert (pd.Series(rows_of.user_id.to_numpy()[rows]).value_counts() % 4 == 0).all()
        assert len(rows) == 400
        times = pd.Series(np.bincount(rows, minlength=400)).groupby(rows_of.user_id.to_numpy())
        assert (times.max() == times.min()).all()
    first, again = ([rows.tolist() for rows in draws(rows_of, 2)] for _ in range(2))
    assert first == again
    assert first[0] != first[1]


def test_the_interval_holds_the_value() -> None:
    metrics = measured(predictions(0.2), n_resamples=200)["metrics"].query("group == ''").set_index("metric")
    assert (metrics.low <= metrics.value).all()
    assert (metrics.value <= metrics.high).all()
    assert 0.02 < metrics.high["auc"] - metrics.low["auc"] < 0.25


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_the_same_mailings_over_again_make_nothing_surer(metric: str) -> None:
    def p_of(times: int) -> float:
        repeated = [pd.concat([predictions(noise)] * times) for noise in (0.2, 0.4)]
        one, other = (Result("", "val", **measured(each, n_resamples=100)) for each in repeated)
        assert metric not in one.per_unit
        return p_against("other", metric, {"one": one, "other": other}).to_dict()["one"]

    assert p_of(3) == pytest.approx(p_of(1), rel=1e-9)


def test_each_offer_has_an_auc_of_its_own() -> None:
    rows = predictions(0.2)
    metrics = measured(rows, n_resamples=5)["metrics"]
    part = rows[rows.offer_id == 3]
    assert metrics.set_index("group").value["offer_3"] == pytest.approx(roc_auc_score(part.truth, part.score))


def test_resamples_of_two_models_are_paired() -> None:
    good, equal, noise = (
        measured(predictions(*each), n_resamples=100)["resampled"].auc.to_numpy()
        for each in ((0.02, 0), (0.02, 0), (5.0, 0))
    )
    assert (good == equal).all()
    assert bootstrap_test(np.array([good.mean() - noise.mean()]), (good - noise)[None])[0] < 0.001
