"""LightGBM as a probe."""

from dataclasses import dataclass

import lightgbm
import numpy as np

from omniretail.models.lightgbm_params import Booster, lightgbm_params, require_lightgbm_params

_MAX_BIN = 63  # instead of LightGBM's 255, for speed


@dataclass(frozen=True)
class FittedLightGBM:
    """What ``LightGBMProbe`` learned.

    Attributes:
        boosters: one per column of labels.
        amount: whether the labels are amounts, learned as their logarithm.
    """

    boosters: tuple[Booster, ...]
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
        min_child_samples: customers in each leaf.
        colsample_bytree: share of the embedding's columns that a tree may use.
        subsample: share of the customers drawn for each tree.
        reg_lambda: L2 penalty on the leaves' values.
    """

    objective: str = "binary"
    n_estimators: int = 80
    learning_rate: float = 0.05
    num_leaves: int = 8
    min_child_samples: int = 20
    colsample_bytree: float = 0.3
    subsample: float = 0.8
    reg_lambda: float = 1.0

    def __post_init__(self) -> None:
        require_lightgbm_params(self)

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> FittedLightGBM:
        """See ``Probe``."""
        amount = self.objective == "regression"
        labels = np.log1p(np.maximum(y, 0.0)) if amount else y
        return FittedLightGBM(tuple(self._booster(x, column, seed) for column in labels.T), amount)

    def _booster(self, x: np.ndarray, y: np.ndarray, seed: int) -> lightgbm.Booster:
        params = lightgbm_params(self, self.objective, seed=seed, max_bin=_MAX_BIN)
        data = lightgbm.Dataset(x, y, params={"max_bin": _MAX_BIN, "verbosity": -1})
        return lightgbm.train(params, data, num_boost_round=self.n_estimators)
