"""Results whose differences are known, and a registry with versions made of them."""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.o2o.offers.metrics import measured
from omniretail.profile.probing.cross_fitting import ProbePredictions
from omniretail.profile.probing.metrics import mean_metric, question_metrics, resampled_metrics
from omniretail.profile.probing.targets import Target
from omniretail.result import Result, metric_rows
from omniretail.tasks import Evaluation
from tests.conftest import tables_of

PROTOCOL = {"source": "shop", "data": "d1", "split": "by time", "policy": "allow_seen"}
PRIMARY = {"recommendation": "ndcg_at_10", "response": "auc", "probing": "mean", "uplift": "qini"}


def lists(
    ndcg: float,
    *,
    less: float = 0.0,
    coverage: float = 0.2,
    n: int = 100,
    seed: int = 1,
    parameters: str = "",
    stage: str = "test",
    **protocol: str,
) -> Result:
    """A recommender of which every second customer has .1 more and every other .1 less than ``ndcg``.

    Args:
        less: so much less where the history is longest, the last fifth.
    """
    value = ndcg + np.where(np.arange(n) % 2, 0.1, -0.1) - np.where(np.arange(n) >= n * 4 // 5, less, 0.0)
    per_user = pd.DataFrame({"ndcg_at_10": value, "recall_at_10": 1 - value, "n_history": np.arange(n)})
    per_user.index = pd.Index([f"u{user:03d}" for user in range(n)], name="user_id")
    metrics = {**per_user[["ndcg_at_10", "recall_at_10"]].mean(), "coverage_at_10": coverage}
    return Result(
        model="EASE",
        stage=stage,
        per_unit=per_user,
        metrics=metric_rows(metrics),
        protocol=PROTOCOL | {"task": "recommendation", "stage": stage} | protocol,
        parameters=parameters,
        cost={"fit_s": 1.0, "score_s": 1.0, "peak_memory_mb": 1.0},
        seed=seed,
    )


def with_values(result: Result, **columns: np.ndarray) -> Result:
    """The same with other values per user."""
    per_user = result.per_unit.assign(**columns)
    metrics = {**per_user.drop(columns="n_history").mean(), "coverage_at_10": result.value("coverage_at_10")}
    return replace(result, per_unit=per_user, metrics=metric_rows(metrics))


def shaken(result: Result, by: float, seed: int = 0) -> Result:
    """The same with noise of standard deviation ``by``, so that p-values lie between 0 and 1."""
    noise = by * np.random.default_rng(seed).normal(size=len(result.per_unit))
    return with_values(result, ndcg_at_10=result.per_unit.ndcg_at_10 + noise)


def mailings(noise: float, *, scale: float = 1.0, n: int = 200) -> pd.DataFrame:
    """200 customers, each sent three offers; the less noise, the better the order; ``scale`` spoils probabilities."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(n), 3), "offer_id": np.tile(["a", "b", "c"], n)})
    chance = rng.uniform(0.05, 0.95, 3 * n)
    frame["truth"] = (rng.random(3 * n) < chance).astype(float)
    frame["score"] = np.clip(scale * (chance + noise * np.random.default_rng(1).normal(size=3 * n)), 0.001, 0.999)
    return frame


def offers(predictions: pd.DataFrame, **protocol: str) -> Result:
    """A response model by its predictions."""
    return Result(
        "Logistic",
        "test",
        "response",
        **measured(predictions, n_resamples=30),  # differences here are wide; more would only take longer
        protocol=PROTOCOL | {"task": "response", "stage": "test"} | protocol,
    )


def embeddings(noise: dict[str, float], n: int = 150, model: str = "CountSVD", **protocol: str) -> Result:
    """An encoder probed by two questions: who is old (an attribute with two classes) and what they will spend."""
    rng = np.random.default_rng(0)
    old, spent = (rng.random(n) < 0.5).astype(float), rng.normal(size=n)
    truths = {"age": np.column_stack([1 - old, old]), "spend": spent[:, None]}
    predictions = []
    for question, truth in truths.items():
        rows = np.arange(n if question == "age" else n - 20)
        classes = ["young", "old"] if question == "age" else ["amount"]
        target = Target(question, "attribute" if question == "age" else "amount", classes, truth, {})
        error = noise[question] * np.random.default_rng(1).normal(size=(1, len(rows), truth.shape[1]))
        predictions.append(ProbePredictions(target, rows, {"linear": truth[rows] + error}))
    by_question = pd.concat([question_metrics(each) for each in predictions], ignore_index=True)
    resampled = resampled_metrics(predictions, n)
    return Result(
        model,
        "test",
        "probing",
        per_unit=pd.DataFrame({"n_questions": 2}, index=pd.RangeIndex(n, name="user_id")),
        metrics=pd.concat([mean_metric(by_question, resampled), by_question], ignore_index=True),
        resampled=resampled,
        protocol=PROTOCOL | {"task": "probing", "stage": "test", "probes": "linear"} | protocol,
    )


def recorded_runs(uri: str) -> dict[str, str]:
    """Runs by their results: recommenders of three strengths, and two of each other task."""
    results = {
        "0.3": lists(0.3, parameters="l2=1"),
        "0.4": lists(0.4),
        "0.5": lists(0.5),
        "0.5 on new data": lists(0.5, data="d2", parameters="l2=9"),
        "0.3 on new data": lists(0.3, data="d2", parameters="l2=1"),
        "0.3 on new data, other settings": lists(0.3, data="d2", parameters="l2=2"),
        "val only": lists(0.4, stage="val"),
        "offers bad": offers(mailings(5.0, n=60)),
        "offers good": offers(mailings(0.05, n=60)),
        "profile bad": embeddings({"age": 9.0, "spend": 9.0}),
        "profile good": embeddings({"age": 0.3, "spend": 0.3}),
    }
    return {name: _recorded(uri, result) for name, result in results.items()}


def _recorded(uri: str, result: Result) -> str:
    settings = f"report: {{primary: {PRIMARY[result.task]}}}"
    tables = tables_of(pd.DataFrame({"user_id": [1]}))
    with tracking.tracked(uri, "shop", result.model, {}) as run, tempfile.TemporaryDirectory() as files:
        tracking.record_evaluations(run, [Evaluation(result)], settings, tables, Path(files))
    return run.run_id


def add_version(uri: str, name: str, run_id: str | None) -> str:
    """A version made of a run, or of none."""
    client = MlflowClient(uri, uri)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    return str(client.create_model_version(name, f"runs:/{run_id}/model", run_id).version)


def champion(uri: str, name: str) -> str:
    return str(MlflowClient(uri, uri).get_registered_model(name).aliases.get("champion", ""))
