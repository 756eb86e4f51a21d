"""LightGBM: boosted trees or a random forest over the row's features."""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.models.lightgbm_params import (
    Booster,
    boosters,
    lightgbm_params,
    require_lightgbm_params,
    trained_text,
)
from omniretail.models.responses.encoding import checked_outcomes, features_of, set_features
from omniretail.models.responses.features import Features


@dataclass(eq=False)
class LightGBM:
    """Trees (Ke et al., NeurIPS 2017), the mean over several seeds; saved as LightGBM's own text.

    Args:
        boosting_type: ``rf``, a random forest, which suits few rows better, or ``gbdt``.
        n_estimators: trees of each seed.
        learning_rate: of boosting; a forest has none.
        num_leaves: of each tree, at most.
        min_child_samples: rows in a leaf.
        subsample: share of rows drawn for each tree.
        colsample_bytree: share of columns drawn for each tree.
        reg_lambda: L2 penalty on leaves.
        n_seeds: averaged.
        seed: the first of them.
    """

    boosting_type: Literal["gbdt", "rf"] = "rf"
    n_estimators: int = 200
    learning_rate: float = 0.03
    num_leaves: int = 6
    min_child_samples: int = 10
    subsample: float = 0.5
    colsample_bytree: float = 0.05
    reg_lambda: float = 0.0
    n_seeds: int = 5
    seed: int = 1

    def __post_init__(self) -> None:
        require_lightgbm_params(self)
        at_least(self, "n_seeds", low=1)

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``."""
        outcome, features = checked_outcomes(y), Features.of(rows)
        set_features(self, features)
        x, categories = _columns(features, rows)
        texts = [
            trained_text(
                lightgbm_params(self, "binary", seed=seed),
                x,
                outcome,
                self.n_estimators,
                categorical_feature=categories,
            )
            for seed in range(self.seed, self.seed + self.n_seeds)
        ]
        self.models_text_ = np.array(texts)
        self._boosters: list[Booster] = []
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        features = features_of(self)
        features.require(rows)
        if not len(rows):
            return np.zeros(0)
        if not getattr(self, "_boosters", None):
            self._boosters = boosters(self.models_text_)
        x, _ = _columns(features, rows)
        chances = np.stack([np.asarray(booster.predict(x, num_threads=1)) for booster in self._boosters])
        return np.clip(chances.mean(axis=0), 0.0, 1.0)


def _columns(features: Features, rows: pd.DataFrame) -> tuple[np.ndarray, list[int]]:
    """Quantities, NaN where missing, then codes of categories; and the places of the latter."""
    quantities = features.quantities
    numbers = rows[quantities].to_numpy(np.float64)
    codes = [code[:, None].astype(np.float64) for code in features.codes(rows).values()]
    return np.hstack([numbers, *codes]), list(range(len(quantities), len(quantities) + len(codes)))
