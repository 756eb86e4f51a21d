"""Results made by hand: of a recommender, and of a model with metrics of groups that are no means."""

from dataclasses import replace

import numpy as np
import pandas as pd

from omniretail.report.tables.comparison import comparison
from omniretail.result import Result, metric_rows
from omniretail.schema import DatasetCard

CARD = DatasetCard("Corner <shop>", address="https://example.org/?a=1&b=2", terms="Free & open.", note="Tea only.")
PROTOCOL = {"source": "shop", "data": "1f", "split": "temporal", "policy": "AllowSeen", "stage": "test"}
SHOWN = ["recall_at_10", "coverage_at_10"]


def result(model: str, quality: float, seed: int = 0, n_users: int = 300, **changes) -> Result:
    """Users differ in how easy they are, the same for every model; a model adds its quality and some noise."""
    rng = np.random.default_rng([seed, *map(ord, model)])
    easy = np.random.default_rng(0).random(n_users) * 0.4
    ndcg, recall, repeat, new = (np.clip(easy + quality + rng.normal(0, 0.05, n_users), 0, 1) for _ in range(4))
    per_user = pd.DataFrame(
        {
            "ndcg_at_10": ndcg,
            "recall_at_10": recall,
            "repeat_ndcg_at_10": np.where(easy > 0.1, repeat, np.nan),
            "new_ndcg_at_10": new / 4,
            "n_history": np.random.default_rng(1).geometric(0.1, n_users) - 1,
        },
        index=pd.Index([f"u{i:04d}" for i in range(n_users)], name="user_id"),
    )
    means = per_user.drop(columns="n_history").mean().to_dict()
    made = Result(
        model,
        "test",
        per_unit=per_user,
        metrics=metric_rows(means | {"coverage_at_10": quality}),
        protocol=PROTOCOL,
        counts={"users_judged": n_users, "cold_items": 7},
        cost={"fit_s": 1.5, "score_s": 0.2, "peak_memory_mb": 512},
        seed=seed,
    )
    return replace(made, **changes)


def grouped_result(model: str, quality: float, seed: int = 0) -> Result:
    """AUC and Brier score of two questions, resampled: 50 draws that are the same for every model."""
    luck = np.random.default_rng(0).normal(0, 0.02, (50, 1))
    values = {"churn/auc": 0.6 + quality, "churn/brier": 0.3 - quality, "spend/auc": 0.7 - quality}
    draws = np.random.default_rng([seed, *map(ord, model)]).normal(0, 0.002, (50, 3))
    rows = [
        metric_rows(
            {"auc": values["churn/auc"], "brier": values["churn/brier"]}, "churn", low={"auc": 0.5}, high={"auc": 0.9}
        ),
        metric_rows({"auc": values["spend/auc"]}, "spend", low={"auc": 0.4}, high={"auc": 0.8}),
    ]
    return Result(
        model,
        "test",
        "probing",
        per_unit=pd.DataFrame({"truth": np.arange(40.0)}, index=pd.Index(range(40), name="user_id")),
        metrics=pd.concat(rows, ignore_index=True),
        resampled=pd.DataFrame(np.array(list(values.values())) + luck + draws, columns=list(values)),
        protocol={"source": "shop", "stage": "test", "task": "probing", "n_folds": "5"},
        cost={"fit_s": 2.0, "embed_s": 0.1, "dim": 64},
        seed=seed,
    )


QUALITIES = {"Popular": 0.1, "EASE": 0.3, "PersonalTop": 0.25, "SLIM": 0.293, "<b>$x$|&": 0.2}
RESULTS = [result(model, quality) for model, quality in QUALITIES.items()]
TABLE = comparison(RESULTS, SHOWN, "ndcg_at_10", "Popular")

GROUPED = [grouped_result(model, quality) for model, quality in {"Chance": 0.0, "Table": 0.1, "Copy": 0.1}.items()]
WIDE = comparison(GROUPED, ["*/auc", "*/brier"], "churn/auc", "Chance", tested=["*"])
