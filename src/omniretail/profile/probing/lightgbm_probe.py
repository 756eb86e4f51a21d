"""LightGBM as a probe."""

from dataclasses import dataclass

import lightgbm
import numpy as np


@dataclass(frozen=True)
class FittedLightGBM:
    """What ``LightGBMProbe`` learned.

    Attributes:
        boosters: one per column of labels.
        amount: whether the labels are amounts, learned as their logarithm.
    """

    boosters: tuple[lightgbm.Booster, ...]
    amount: bool = False

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Probabilities or amounts for embeddings (M, D); shape (M, T)."""
        predictions = np.stack([np.asarray(each.predict(x, num_threads=1)) for each in self.boosters], axis=1)
        return np.expm1(np.maximum(predictions, 0.0)) if self.amount else predictions


@dataclass(frozen=True)
class LightGBMProbe:
    """LightGBM (Ke et al., NeurIPS 2017), one model per column of labels; an amount is learned as its logarithm.

    Attributes:
        objective: ``binary`` or ``regression``.
        n_estimators: trees of each model.
        learning_rate: of each tree.
        num_leaves: of each tree.
    """

    objective: str = "binary"
    n_estimators: int = 80
    learning_rate: float = 0.05
    num_leaves: int = 8

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> FittedLightGBM:
        """See ``Probe``."""
        amount = self.objective == "regression"
        labels = np.log1p(np.maximum(y, 0.0)) if amount else y
        return FittedLightGBM(tuple(self._booster(x, column, seed) for column in labels.T), amount)

    def _booster(self, x: np.ndarray, y: np.ndarray, seed: int) -> lightgbm.Booster:
        params = {
            "objective": self.objective,
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_child_samples": 20,
            "colsample_bytree": 0.3,
            "subsample": 0.8,
            "subsample_freq": 1,
            "reg_lambda": 1.0,
            "max_bin": 63,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbosity": -1,
        }
        data = lightgbm.Dataset(x, y, params={"max_bin": 63, "verbosity": -1})
        return lightgbm.train(params, data, num_boost_round=self.n_estimators)
