"""LightGBM as the store models use it: one thread, the same trees from the same data."""

from typing import Any, Protocol


class LightGBMParams(Protocol):
    """Whatever has these settings."""

    leaves: int
    learning_rate: float
    min_rows: int
    columns_share: float
    l2: float
    seed: int


def tree_settings(model: LightGBMParams) -> dict[str, Any]:
    """A model's settings in LightGBM's words."""
    return {
        "num_leaves": model.leaves,
        "learning_rate": model.learning_rate,
        "min_data_in_leaf": model.min_rows,
        "feature_fraction": model.columns_share,
        "lambda_l2": model.l2,
        "seed": model.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbose": -1,
    }
