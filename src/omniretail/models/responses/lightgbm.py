"""LightGBM: boosted trees over the row's features."""

from typing import Any, Literal, Self

import numpy as np
import pandas as pd

from omniretail.models.responses.encoding import remember, remembered, require_both
from omniretail.models.responses.features import Features


class LightGBM:
    """Trees (Ke et al., NeurIPS 2017), the mean over several seeds; kept as LightGBM's own text.

    Args:
        boosting: ``rf``, a random forest, which suits few rows better, or ``gbdt``.
        trees: of each seed.
        learning_rate: of boosting; a forest has none.
        leaves: of each tree, at most.
        min_rows: in a leaf.
        rows_share: of rows drawn for each tree.
        columns_share: of columns drawn for each tree.
        l2: penalty on leaves.
        n_seeds: averaged.
        seed: the first of them.
    """

    def __init__(
        self,
        boosting: Literal["gbdt", "rf"] = "rf",
        trees: int = 200,
        learning_rate: float = 0.03,
        leaves: int = 6,
        min_rows: int = 10,
        rows_share: float = 0.5,
        columns_share: float = 0.05,
        l2: float = 0.0,
        n_seeds: int = 5,
        seed: int = 1,
    ) -> None:
        self.boosting: Literal["gbdt", "rf"] = boosting
        self.trees = trees
        self.learning_rate = learning_rate
        self.leaves = leaves
        self.min_rows = min_rows
        self.rows_share = rows_share
        self.columns_share = columns_share
        self.l2 = l2
        self.n_seeds = n_seeds
        self.seed = seed

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``.

        Raises:
            ValueError: where all outcomes are alike.
        """
        import lightgbm

        outcome, features = require_both(y), Features.of(rows)
        remember(self, features)
        x, categories = _columns(features, rows)
        texts = []
        for seed in range(self.seed, self.seed + self.n_seeds):
            data = lightgbm.Dataset(x, outcome, categorical_feature=categories, free_raw_data=False)
            texts.append(lightgbm.train(self._settings(seed), data, self.trees).model_to_string())
        self.models_text_ = np.array(texts)
        self._models: list[Any] = []
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``.

        Raises:
            ValueError: where a column is missing that the model was fitted with.
        """
        import lightgbm

        features = remembered(self)
        features.require(rows)
        if not len(rows):
            return np.zeros(0)
        if not getattr(self, "_models", None):
            self._models = [lightgbm.Booster(model_str=str(text)) for text in self.models_text_]
        x, _ = _columns(features, rows)
        said = np.stack([np.asarray(model.predict(x, num_threads=1)) for model in self._models])
        return np.clip(said.mean(axis=0), 0.0, 1.0)

    def _settings(self, seed: int) -> dict[str, Any]:
        return {
            "objective": "binary",
            "boosting": self.boosting,
            "learning_rate": self.learning_rate,
            "num_leaves": self.leaves,
            "min_data_in_leaf": self.min_rows,
            "bagging_fraction": self.rows_share,
            "bagging_freq": 1,
            "feature_fraction": self.columns_share,
            "lambda_l2": self.l2,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": 1,
            "verbose": -1,
        }


def _columns(features: Features, rows: pd.DataFrame) -> tuple[np.ndarray, list[int]]:
    """Quantities as they are, NaN where missing, then the numbers of categories; and the places of these."""
    quantities = features.quantities
    numbers = rows[quantities].to_numpy(np.float64)
    words = features.numbered(rows)
    codes = [code[:, None].astype(np.float64) for code in words.values()]
    return np.hstack([numbers, *codes]), list(range(len(quantities), len(quantities) + len(words)))
