"""scikit-learn's models inside meta-learners: fitted copies, and their probabilities."""

from typing import Any

import numpy as np
import pandas as pd


def default_classifier() -> Any:
    """Gradient boosting as the yaml of the meta-learners has it, seed 1."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=100, max_depth=3, learning_rate=0.05, random_state=1)


def default_regressor() -> Any:
    """The same for effects."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    return HistGradientBoostingRegressor(max_iter=100, max_depth=3, learning_rate=0.05, random_state=1)


def linear_regressor(alpha: float = 10_000.0) -> Any:
    """Ridge regression on imputed, standardised features.

    Args:
        alpha: penalty of the squared weights, in rows.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    steps = SimpleImputer(keep_empty_features=True), StandardScaler(), Ridge(alpha=alpha)
    return Pipeline([(type(each).__name__.lower(), each) for each in steps])


def values(x: pd.DataFrame) -> np.ndarray:
    """The features as float64; shape (N, D)."""
    return np.asarray(x, dtype=np.float64)


def fitted_classifier(model: Any, x: np.ndarray, y: np.ndarray, **weights: np.ndarray) -> Any:
    """A fitted copy; where all outcomes are the same, one that predicts that outcome."""
    from sklearn.base import clone
    from sklearn.dummy import DummyClassifier

    fresh: Any = clone(model) if len(np.unique(y)) > 1 else DummyClassifier()
    return fresh.fit(x, y, **weights)


def fitted_regressor(model: Any, x: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Any:
    """A fitted copy; weights go to the last step of a pipeline."""
    from sklearn.base import clone

    fresh: Any = clone(model)
    if sample_weight is None:
        return fresh.fit(x, y)
    steps = getattr(fresh, "steps", None)
    return fresh.fit(x, y, **{f"{steps[-1][0]}__sample_weight" if steps else "sample_weight": sample_weight})


def chance(classifier: Any, x: np.ndarray) -> np.ndarray:
    """P(acts) from a fitted classifier, 0 where it has seen nobody act; shape (N,)."""
    place = np.flatnonzero(classifier.classes_ == 1)
    return classifier.predict_proba(x)[:, place[0]] if len(place) and len(x) else np.zeros(len(x))


def effect(regressor: Any, x: np.ndarray) -> np.ndarray:
    """Effects from a fitted regressor; shape (N,)."""
    return regressor.predict(x) if len(x) else np.zeros(0)
