"""How well purchases and value were foretold, beside two rates that need no model."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from omniretail.models.lifetime.customers import buying, spending


def holdout_report(predictions: Mapping[str, Mapping[str, np.ndarray]], actual: pd.DataFrame) -> pd.DataFrame:
    """Errors of every prediction of what the customers did in the holdout window.

    Args:
        predictions: column of ``actual`` -> name of a model -> what it foretold, shape (N,).
        actual: what happened, a row per customer, 0 for those who did not come.

    Returns:
        A row per column and model: ``target``, ``model``, ``mae``, ``rmse`` (both per customer, purchases or
        currency), ``spearman`` (rank correlation; NaN where all are foretold the same, or did the same),
        ``predicted`` and ``actual`` (totals).
    """
    rows = [
        {"target": target, "model": model, **_errors(foretold, actual[target].to_numpy(np.float64))}
        for target, by_model in predictions.items()
        for model, foretold in by_model.items()
    ]
    return pd.DataFrame(rows)


def naive_rates(customers: pd.DataFrame, horizon: float) -> dict[str, dict[str, np.ndarray]]:
    """Two predictions that any model must beat, for ``purchases`` and ``value``.

    ``own rate`` lets each customer go on as before, x / T times the horizon at their own mean value; who has just
    arrived or never came again is foretold nothing. ``mean rate`` foretells everybody the same: all repeat purchases
    over all time, at the mean value of a repeat purchase.

    Args:
        customers: the columns of ``views.recency_frequency``.
        horizon: in the unit of time of the customers' age.
    """
    x, _, age = buying(customers)
    told, value = spending(customers)
    own = horizon * np.divide(x, age, out=np.zeros_like(x), where=age > 0)
    mean = np.full_like(x, horizon * x.sum() / max(age.sum(), np.finfo(float).tiny))
    mean_value = (told * value).sum() / max(told.sum(), 1.0)
    return {
        "purchases": {"own rate": own, "mean rate": mean},
        "value": {"own rate": own * value, "mean rate": mean * mean_value},
    }


def _errors(foretold: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    error = foretold - actual
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "spearman": _rank_correlation(foretold, actual),
        "predicted": float(foretold.sum()),
        "actual": float(actual.sum()),
    }


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's; NaN where either is the same for all."""
    ranks = np.stack([rankdata(a), rankdata(b)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.sqrt((ranks**2).sum(axis=1).prod())
    return float(ranks[0] @ ranks[1] / size) if size > 0 else float("nan")
