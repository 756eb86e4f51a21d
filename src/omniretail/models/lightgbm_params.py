"""LightGBM for every model here: parameters by the names of its scikit-learn interface, one thread, deterministic."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from omniretail.core.checks import above, at_least, between, one_of, require
from omniretail.models.lightgbm_text import checked_text

_COUNTS, _SHARES = ("n_estimators", "min_child_samples"), ("learning_rate", "subsample", "colsample_bytree")
_TRAINED_WITH = ("boosting_type", "num_leaves", "min_child_samples", *_SHARES, "reg_lambda")


class Booster(Protocol):
    """What ``lightgbm.Booster`` is to a model here."""

    def predict(self, data: np.ndarray, *, num_threads: int) -> Any:
        """Predictions for rows (N, F); shape (N,)."""
        ...

    def save_model(self, filename: Any) -> Any:
        """Write the text."""
        ...


def lightgbm_params(model: Any, objective: str | Callable[..., Any], **others: Any) -> dict[str, Any]:
    """Parameters for ``lightgbm.train``; the number of trees is an argument of that function.

    Args:
        model: a dataclass; read are its fields ``boosting_type``, ``num_leaves``, ``learning_rate``,
            ``min_child_samples``, ``subsample`` (share of rows drawn for each tree), ``colsample_bytree`` (share of
            columns) and ``reg_lambda``, those that it has, and its ``seed``.
        objective: its name, or a function of predictions and data that returns gradient and Hessian.
        others: parameters that are fixed for all models of the class, and those that replace the model's own.
    """
    own = {name: getattr(model, name) for name in _fields(model, _TRAINED_WITH)}
    if "subsample" in own:
        own["subsample_freq"] = 1
    fixed = {"deterministic": True, "force_row_wise": True, "num_threads": 1, "verbosity": -1}
    seed = {} if "seed" in others else {"seed": model.seed}
    return {"objective": objective, **own, **fixed, **seed, **others}


def require_lightgbm_params(model: Any) -> None:
    """Refuse LightGBM's parameters of a model where they are out of range.

    Raises:
        SettingsError: e.g. ``LightGBM: num_leaves=1 must be 2 or more``.
    """
    at_least(model, *_fields(model, _COUNTS), low=1)
    at_least(model, *_fields(model, ("num_leaves",)), low=2)
    at_least(model, *_fields(model, ("reg_lambda",)))
    above(model, *_fields(model, _SHARES))
    between(model, *_fields(model, _SHARES))
    if _fields(model, ("boosting_type",)):
        one_of(model, "boosting_type", ("gbdt", "rf"))
        drawn = model.boosting_type != "rf" or model.subsample < 1 or model.colsample_bytree < 1
        require(model, "boosting_type", drawn, "have subsample or colsample_bytree below 1")


def _fields(model: Any, names: Iterable[str]) -> list[str]:
    """Those of the names that the model has as fields."""
    own = {field.name for field in fields(model)}
    return [name for name in names if name in own]


def trained_text(params: Mapping[str, Any], x: np.ndarray, y: np.ndarray, n_estimators: int, **data: Any) -> str:
    """A trained booster as LightGBM's own text, which is saved without pickle.

    Args:
        params: of ``lightgbm_params``.
        x: features, NaN where missing; shape (N, F).
        y: labels; shape (N,).
        n_estimators: trees.
        data: further arguments of ``lightgbm.Dataset``.
    """
    import lightgbm

    return lightgbm.train(dict(params), lightgbm.Dataset(x, y, **data), n_estimators).model_to_string()


def boosters(texts: Iterable[str]) -> list[Booster]:
    """Boosters from the texts of ``trained_text``.

    Raises:
        ValueError: where a text does not agree with its own counts.
    """
    import lightgbm

    return [lightgbm.Booster(model_str=checked_text(str(text))) for text in texts]
