"""Errors of predicted purchases and values in a holdout window."""

import numpy as np
import pandas as pd


def holdout_errors(predicted: np.ndarray, actual: np.ndarray) -> dict[str, float]:
    """Errors per customer, and totals.

    Args:
        predicted: purchases or currency; shape (N,).
        actual: what happened, 0 for customers who did not come; shape (N,).

    Returns:
        ``mae``, ``rmse`` (both per customer), ``spearman`` (rank correlation; NaN where either is the same for all),
        ``predicted`` and ``actual`` (totals).
    """
    error = predicted - actual
    return {
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "spearman": float(pd.DataFrame({"p": predicted, "a": actual}).corr(method="spearman").to_numpy()[0, 1]),
        "predicted": float(predicted.sum()),
        "actual": float(actual.sum()),
    }
