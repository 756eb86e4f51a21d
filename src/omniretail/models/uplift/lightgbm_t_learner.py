"""TwoForests: a T-learner that can be kept with a run and served, since it is plain text."""

from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.models.uplift.protocol import both_groups


class LightGBMTLearner:
    """Boosted trees of the treated and of the controls (LightGBM); uplift is their difference (Künzel et al., 2019).

    Unlike a learner over scikit-learn's models it is saved without pickle, and answers a service with both the
    probability to act when treated and the uplift.

    Args:
        trees: of each model.
        learning_rate: of each tree.
        leaves: of each tree.
        min_rows: in a leaf.
        seed: of everything random.
    """

    def __init__(
        self, trees: int = 100, learning_rate: float = 0.05, leaves: int = 8, min_rows: int = 20, seed: int = 1
    ) -> None:
        self.trees = trees
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_rows = min_rows
        self.seed = seed

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        given = both_groups(treated)
        self.models_text_ = np.array([self._forest(x[group], y[group]) for group in (given, ~given)])
        self._models: list[Any] = []
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """See ``UpliftModel``."""
        with_it, without = self._both(x)
        return with_it - without

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """P(acts | treated), from rows whose columns stand as those of ``x`` stood; shape (N,)."""
        return self._both(rows.to_numpy(np.float64))[0]

    def predict_uplift(self, rows: pd.DataFrame) -> np.ndarray:
        """``predict`` for rows; shape (N,)."""
        return self.predict(rows.to_numpy(np.float64))

    def _forest(self, x: np.ndarray, y: np.ndarray) -> str:
        import lightgbm

        settings = {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows,
            "seed": self.seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        return lightgbm.train(settings, lightgbm.Dataset(x, y), self.trees).model_to_string()

    def _both(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        import lightgbm

        if not getattr(self, "_models", None):
            self._models = [lightgbm.Booster(model_str=str(text)) for text in self.models_text_]
        with_it, without = (np.asarray(model.predict(x, num_threads=1)) for model in self._models)
        return with_it, without
