"""What is predicted of a row by models that were not trained on its customer: outcomes, and the propensity."""

from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.checks import above, at_least, require
from omniretail.core.errors import SettingsError
from omniretail.models.uplift.outcome_models import chance, fitted_classifier, values

SHARE, ESTIMATED = "share", "estimated"


def require_settings(learner: Any) -> None:
    """Refuse settings of a cross-fitted learner that are out of range.

    Args:
        learner: with the fields ``propensity``, ``clip`` and ``n_splits``.

    Raises:
        SettingsError: naming the setting.
    """
    propensity = learner.propensity
    if isinstance(propensity, str):
        require(learner, "propensity", propensity in (SHARE, ESTIMATED), "be share, estimated or a number below 1")
    else:
        rule = "lie above 0 and below 1: without customers of both kinds there is no effect to learn"
        require(learner, "propensity", 0 < propensity < 1, rule)
    above(learner, "clip")
    require(learner, "clip", learner.clip < 0.5, "be below 0.5")
    at_least(learner, "n_splits", low=2)
    at_least(learner, "n_repeats", low=1)


def fold_of_rows(x: pd.DataFrame, n_splits: int, seed: int) -> np.ndarray:
    """A number below ``n_splits`` of each row, the same for all rows of a customer; shape (N,).

    Raises:
        SettingsError: where there are fewer customers than folds.
    """
    customers = x.index.get_level_values("user_id" if "user_id" in x.index.names else 0)
    codes, unique = pd.factorize(customers)
    if len(unique) < n_splits:
        raise SettingsError(f"{len(unique)} customers cannot be cut into n_splits={n_splits}; set it to 2 or more")
    return np.random.default_rng(seed).permutation(np.arange(len(unique)) % n_splits)[codes]


def cross_fitted_outcomes(
    model: Any, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray, fold: np.ndarray
) -> np.ndarray:
    """P(acts) without and with the treatment, from models of the other folds.

    Args:
        model: a scikit-learn classifier.
        x: shape (N, D).
        treated: shape (N,).
        y: shape (N,).
        fold: of each row; shape (N,).

    Returns:
        Shape (N, 2), the controls first.
    """
    features, outcomes = values(x), np.zeros((len(y), 2))
    for number in np.unique(fold):
        held_out = fold == number
        for group in (0, 1):
            rows = ~held_out & (treated == group)
            if not rows.any():
                raise SettingsError(f"too few customers were {_WORDS[group]}: some folds have none; lower n_splits")
            fitted = fitted_classifier(model, features[rows], y[rows])
            outcomes[held_out, group] = chance(fitted, features[held_out])
    return outcomes


def propensities(learner: Any, x: pd.DataFrame, treated: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """P(treated) of each row, between ``clip`` and ``1 - clip``; shape (N,).

    The learner's ``propensity`` is ``share``, the share of the treated, right where treatment was drawn alike for all;
    a number, where it is known; or ``estimated``, by the learner's outcome classifier, cross-fitted.
    """
    if learner.propensity != ESTIMATED:
        known = treated.mean() if learner.propensity == SHARE else learner.propensity
        return np.full(len(treated), float(np.clip(known, learner.clip, 1 - learner.clip)))
    features, estimated = values(x), np.zeros(len(treated))
    for number in np.unique(fold):
        held_out = fold == number
        fitted = fitted_classifier(learner.model, features[~held_out], treated[~held_out].astype(int))
        estimated[held_out] = chance(fitted, features[held_out])
    return np.clip(estimated, learner.clip, 1 - learner.clip)


_WORDS = ("left untreated", "treated")
