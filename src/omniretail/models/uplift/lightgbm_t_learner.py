"""LightGBMTLearner: a T-learner that can be saved with a run and served, since it is plain text."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from omniretail.models.lightgbm_params import (
    Booster,
    boosters,
    lightgbm_params,
    require_lightgbm_params,
    trained_text,
)
from omniretail.models.uplift.outcome_models import values
from omniretail.models.uplift.protocol import both_groups


@dataclass(eq=False)
class LightGBMTLearner:
    """Boosted trees of the treated and of the controls (LightGBM); uplift is their difference (Künzel et al., 2019).

    Unlike a learner over scikit-learn's models it is saved without pickle, and answers a service with both the
    probability to act when treated and the uplift.

    Args:
        n_estimators: trees of each model.
        learning_rate: of boosting.
        num_leaves: of each tree, at most.
        min_child_samples: rows in a leaf.
        seed: of everything random.
    """

    n_estimators: int = 100
    learning_rate: float = 0.05
    num_leaves: int = 8
    min_child_samples: int = 20
    seed: int = 1

    def __post_init__(self) -> None:
        require_lightgbm_params(self)

    def fit(self, x: pd.DataFrame, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        mask, features, params = both_groups(treated), values(x), lightgbm_params(self, "binary")
        texts = [trained_text(params, features[group], y[group], self.n_estimators) for group in (mask, ~mask)]
        self.models_text_ = np.array(texts)
        self._boosters: list[Booster] = []
        return self

    def predict(self, x: pd.DataFrame) -> np.ndarray:
        """See ``UpliftModel``."""
        treated, control = self._chances(x)
        return treated - control

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """P(acts | treated); shape (N,)."""
        return self._chances(rows)[0]

    def _chances(self, x: pd.DataFrame) -> list[np.ndarray]:
        """P(acts) of the treated and of the controls, each of shape (N,)."""
        if not len(x):
            return [np.zeros(0), np.zeros(0)]
        if not getattr(self, "_boosters", None):
            self._boosters = boosters(self.models_text_)
        return [np.asarray(booster.predict(values(x), num_threads=1)) for booster in self._boosters]
