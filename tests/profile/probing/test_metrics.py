"""Metrics of probe predictions by hand, their intervals and resamples."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from omniretail.profile.probing.cross_fitting import ProbePredictions, cross_fit
from omniretail.profile.probing.metrics import (
    MEAN,
    mean_metric,
    predictions_table,
    question_metrics,
    resampled_metrics,
    score,
)
from omniretail.profile.probing.probes import Probes
from tests.profile.probing.test_cross_fitting import N, numbered, target


def test_scores_by_hand() -> None:
    truth = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 1.0]])
    scores = np.array([[0.9, 0.1, 0.5], [0.1, 0.7, 0.5], [0.2, 0.3, 0.5]])
    assert score("event", truth, scores) == 0.75, "mean of 1 and 1/2; the third has no AUC"
    assert score("amount", np.array([[1.0], [2.0], [9.0]]), np.array([[5.0], [6.0], [7.0]])) == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "truth", "scores"),
    [
        ("event", [[1.0], [1.0]], [[0.2], [0.3]]),
        ("amount", [[0.0], [0.0]], [[0.2], [0.3]]),
        ("amount", [[1.0], [2.0]], [[0.3], [0.3]]),
    ],
)
def test_an_undefined_score_is_not_a_number(kind: str, truth: list, scores: list) -> None:
    assert np.isnan(score(kind, np.array(truth), np.array(scores)))


@pytest.mark.parametrize("kind", ["event", "attribute", "amount"])
def test_a_question_with_equal_labels_has_no_metric_and_breaks_nothing(kind: str) -> None:
    equal = target(np.ones((N, 1)), kind)
    predictions = cross_fit(Probes(n_seeds=1), equal, equal, numbered(), numbered())
    assert all(np.isfinite(scores).all() for scores in predictions.by_probe.values())
    assert question_metrics(predictions).value.isna().all()
    assert resampled_metrics([predictions], N).isna().all(axis=None)


def two_probes(labelled: np.ndarray, name: str = "churn", seed: int = 0, noise: float = 0.5) -> ProbePredictions:
    """A good linear probe and random trees, two seeds each, for the labelled customers of 70."""
    rng = np.random.default_rng(seed)
    truth = (rng.random((len(labelled), 1)) > 0.5).astype(float)
    by_probe = {"linear": truth[None] + rng.normal(0, noise, (2, *truth.shape)), "trees": rng.random((2, *truth.shape))}
    labels = np.full((70, 1), np.nan)
    labels[labelled] = truth
    return ProbePredictions(target(labels, name=name), labelled, by_probe)


def test_the_value_is_that_of_the_blend_and_each_probe_has_its_own() -> None:
    predictions = two_probes(np.arange(10, 70))
    rows = question_metrics(predictions).set_index("metric")
    assert list(rows.index) == ["auc", "auc_linear", "auc_trees", "auc_seed_sd"]
    assert set(rows["group"]) == {"churn"}
    blend = (predictions.by_probe["linear"] + predictions.by_probe["trees"]) / 2
    seeds = [score("event", predictions.truth, each) for each in blend]
    assert rows.value["auc"] == pytest.approx(np.mean(seeds))
    assert rows.value["auc_seed_sd"] == pytest.approx(np.std(seeds, ddof=1))
    assert rows.value["auc_linear"] > rows.value["auc"] > rows.value["auc_trees"]
    assert rows.low["auc"] < rows.value["auc"] < rows.high["auc"]
    table = predictions_table([predictions], np.arange(1000, 1070))
    assert table.user_id.tolist() == list(range(1010, 1070))
    np.testing.assert_allclose(table.score, blend.mean(axis=0)[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(table.truth, predictions.truth[:, 0])


def test_resamples_are_paired_over_encoders_and_over_questions() -> None:
    age, churn = two_probes(np.arange(30), "age"), two_probes(np.arange(70), "churn", seed=1)
    resampled = resampled_metrics([age, churn], 70)
    assert list(resampled) == ["age/auc", "churn/auc", MEAN]
    np.testing.assert_allclose(resampled[MEAN], resampled[["age/auc", "churn/auc"]].mean(axis=1))
    np.testing.assert_array_equal(resampled_metrics([churn], 70)["churn/auc"], resampled["churn/auc"])
    shifted = replace(churn, by_probe={name: each - 1 for name, each in churn.by_probe.items()})
    np.testing.assert_allclose(resampled_metrics([shifted], 70)["churn/auc"], resampled["churn/auc"], atol=1e-3)
    same = two_probes(np.arange(70), "again", seed=1)
    together = resampled_metrics([churn, same], 70)
    np.testing.assert_array_equal(together["churn/auc"], together["again/auc"])


def test_the_mean_over_questions_has_an_interval() -> None:
    predictions = [two_probes(np.arange(70), name, seed) for seed, name in enumerate(("age", "churn"))]
    metrics = [question_metrics(each) for each in predictions]
    resampled = resampled_metrics(predictions, 70)
    together = pd.concat(metrics)
    (row,) = mean_metric(together, resampled).to_dict("records")
    assert row["value"] == pytest.approx(np.mean([each.value[0] for each in metrics]))
    assert row["high"] - row["value"] == pytest.approx(1.96 * resampled[MEAN].std(), rel=1e-3)
