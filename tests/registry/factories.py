"""Results whose differences are known, and a registry with versions made of them."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient

from omniretail import tracking
from omniretail.o2o.offers.figures import OfferResult
from omniretail.o2o.offers.figures import figures_of as offer_figures
from omniretail.profile.probing.cross_fitting import ProbePredictions
from omniretail.profile.probing.figures import ProbeResult
from omniretail.profile.probing.figures import figures_of as probe_figures
from omniretail.profile.probing.targets import Target
from omniretail.registry.promotion import LATENCY
from omniretail.result import Result
from tests.conftest import tables_of

SETTINGS = {"source": "shop", "data": "d1", "split": "by time", "policy": "allow_seen", "seed": "1"}


def lists(ndcg: float, *, less: float = 0.0, coverage: float = 0.2, n: int = 100, **settings: str) -> Result:
    """A recommender of which every second customer has .1 more and every other .1 less than ``ndcg``.

    Args:
        less: so much less where the history is longest, the last fifth.
    """
    value = ndcg + np.where(np.arange(n) % 2, 0.1, -0.1) - np.where(np.arange(n) >= n * 4 // 5, less, 0.0)
    per_user = pd.DataFrame({"ndcg_at_10": value, "recall_at_10": 1 - value, "n_history": np.arange(n)})
    per_user.index = pd.Index([f"u{user:03d}" for user in range(n)], name="user_id")
    overall = {"coverage_at_10": coverage}
    return Result("EASE", settings.pop("stage", "test"), per_user, overall, 1.0, 1.0, 1.0, settings=SETTINGS | settings)


def shaken(result: Result, by: float, seed: int = 0) -> Result:
    """The same with noise of standard deviation ``by``, so that p-values lie between 0 and 1."""
    noise = by * np.random.default_rng(seed).normal(size=len(result.per_user))
    per_user = result.per_user.assign(ndcg_at_10=result.per_user.ndcg_at_10 + noise)
    return Result(**{**vars(result), "per_user": per_user})


def offers(noise: float, *, scale: float = 1.0, n: int = 200, **settings: str) -> OfferResult:
    """200 customers, each sent three offers; the less noise, the better the order; ``scale`` spoils probabilities."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"user_id": np.repeat(np.arange(n), 3), "offer_id": np.tile(["a", "b", "c"], n)})
    chance = rng.uniform(0.05, 0.95, 3 * n)
    frame["truth"] = (rng.random(3 * n) < chance).astype(float)
    frame["score"] = np.clip(scale * (chance + noise * np.random.default_rng(1).normal(size=3 * n)), 0.001, 0.999)
    figures = offer_figures(frame, n_resamples=5)
    return OfferResult("Logistic", "test", figures, frame, {"judged": len(frame)}, settings=SETTINGS | settings)


def embeddings(noise: dict[str, float], n: int = 150, model: str = "CountSVD", **settings: str) -> ProbeResult:
    """An encoder asked two questions: who is old (a fact with two classes) and what will be spent (an amount)."""
    rng = np.random.default_rng(0)
    old, spent = (rng.random(n) < 0.5).astype(float), rng.normal(size=n)
    truths = {"age": np.column_stack([1 - old, old]), "spend": spent[:, None]}
    said = []
    for question, truth in truths.items():
        rows = np.arange(n if question == "age" else n - 20)
        classes = ["young", "old"] if question == "age" else ["amount"]
        target = Target(question, "fact" if question == "age" else "amount", classes, truth, {})
        wrong = noise[question] * np.random.default_rng(1).normal(size=(1, len(rows), truth.shape[1]))
        said.append(ProbePredictions(target, rows, {"linear": truth[rows] + wrong}))
    figures, answers = probe_figures(said, np.arange(n))
    return ProbeResult(model, "test", figures, answers, dim=8, settings=SETTINGS | settings)


def kept_runs(uri: str) -> dict[str, str]:
    """Runs by what they found: recommenders of three strengths, and two of each other kind."""
    made = {
        "0.3": lists(0.3, parameters="l2=1"),
        "0.4": lists(0.4),
        "0.5": lists(0.5),
        "0.5 on new data": lists(0.5, data="d2", parameters="l2=9"),
        "0.3 on new data": lists(0.3, data="d2", parameters="l2=1"),
        "0.3 on new data, other settings": lists(0.3, data="d2", parameters="l2=2"),
        "val only": lists(0.4, stage="val"),
        "offers bad": offers(5.0, n=60),
        "offers good": offers(0.05, n=60),
        "profile bad": embeddings({"age": 9.0, "spend": 9.0}),
        "profile good": embeddings({"age": 0.3, "spend": 0.3}),
    }
    return {what: _kept(uri, result) for what, result in made.items()}


def _kept(uri: str, result: Any) -> str:
    with tracking.tracked(uri, "shop", result.model, {}) as kept, tempfile.TemporaryDirectory() as files:
        tracking.record_results(kept, [result], "", tables_of(pd.DataFrame({"user_id": [1]})), {}, Path(files))
    return kept.run_id


def add_version(uri: str, name: str, run_id: str | None, latency_ms: float | None = 5.0) -> str:
    """A version made of a run, or of none."""
    client = MlflowClient(uri, uri)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name)
    tags = {} if latency_ms is None else {LATENCY: f"{latency_ms:.3f}"}
    return str(client.create_model_version(name, f"runs:/{run_id}/model", run_id, tags=tags).version)


def champion(uri: str, name: str) -> str:
    return str(MlflowClient(uri, uri).get_registered_model(name).aliases.get("champion", ""))
