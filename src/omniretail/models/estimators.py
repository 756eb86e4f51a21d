"""scikit-learn's fitted estimators as skops files: without pickle, of few classes, their trees checked when read."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SUFFIX = ".skops"
_SCHEMA = "schema.json"
_GRADIENT_BOOSTING = "sklearn.ensemble._hist_gradient_boosting"
ESTIMATORS = frozenset(
    {
        f"{_GRADIENT_BOOSTING}.gradient_boosting.HistGradientBoostingClassifier",
        f"{_GRADIENT_BOOSTING}.gradient_boosting.HistGradientBoostingRegressor",
        "sklearn.dummy.DummyClassifier",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.linear_model._base.LinearRegression",
        "sklearn.linear_model._logistic.LogisticRegression",
        "sklearn.linear_model._ridge.Ridge",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.StandardScaler",
    }
)
"""Those that can be saved: others may read past the end of their arrays where a file is broken."""
_TREES = f"{_GRADIENT_BOOSTING}.predictor.TreePredictor"
_PARTS = frozenset(
    {
        _TREES,
        f"{_GRADIENT_BOOSTING}.binning._BinMapper",
        "sklearn._loss._loss.CyHalfBinomialLoss",
        "sklearn._loss._loss.CyHalfSquaredError",
        "sklearn._loss.link.IdentityLink",
        "sklearn._loss.link.Interval",
        "sklearn._loss.link.LogitLink",
        "sklearn._loss.loss.HalfBinomialLoss",
        "sklearn._loss.loss.HalfSquaredError",
        "sklearn.preprocessing._label.LabelEncoder",
        "numpy.random._generator.Generator",
        "numpy.ndarray",
        "numpy.dtype",
        *(f"numpy.{name}" for name in ("bool", "int32", "int64", "uint64", "float32", "float64")),
        *(f"builtins.{name}" for name in ("dict", "list", "tuple", "str", "slice")),
    }
)


def is_estimator(value: object) -> bool:
    """Whether it is one of scikit-learn's."""
    return type(value).__module__.startswith("sklearn.")


def write_estimator(estimator: Any, path: Path) -> None:
    """Save a fitted estimator.

    Raises:
        TypeError: where it is, or holds, one that cannot be saved.
    """
    import skops.io

    skops.io.dump(estimator, path)
    if foreign := _foreign(path):
        path.unlink()
        known = ", ".join(sorted(name.rpartition(".")[2] for name in ESTIMATORS))
        raise TypeError(f"{foreign[0]} cannot be saved without pickle; of scikit-learn, {known} can")


def read_estimator(path: Path) -> Any:
    """Read what ``write_estimator`` wrote; no code of the file is run.

    Raises:
        ValueError: where it holds another class, or trees that do not agree with themselves.
    """
    import skops.io

    if foreign := _foreign(path):
        raise ValueError(f"{path.name} holds a {foreign[0]}, which is no estimator of a saved model")
    estimator = skops.io.load(path, trusted=[_TREES, "numpy.dtype"])
    for each in getattr(estimator, "named_steps", {"": estimator}).values():
        for predictor in (one for trees in getattr(each, "_predictors", []) for one in trees):
            _check_trees(predictor.nodes, int(each.n_features_in_), path.name)
    return estimator


def _foreign(path: Path) -> list[str]:
    """Classes in the file that a saved estimator has not."""
    with zipfile.ZipFile(path) as file:
        classes = set(_classes(json.loads(file.read(_SCHEMA))))
    return sorted(classes - ESTIMATORS - _PARTS)


def _classes(node: Any) -> Iterator[str]:
    if isinstance(node, dict) and "__class__" in node:
        yield f"{node['__module__']}.{node['__class__']}"
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _classes(inner)


def _check_trees(nodes: np.ndarray, n_features: int, file: str) -> None:
    """Every inner node has a feature of its own and two children after it: else scikit-learn reads anywhere."""
    from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

    right = nodes.ndim == 1 and len(nodes) > 0 and nodes.dtype == PREDICTOR_RECORD_DTYPE
    if right:
        inner, place = nodes["is_leaf"] == 0, np.arange(len(nodes))
        inside = (nodes["feature_idx"] >= 0) & (nodes["feature_idx"] < n_features)
        children = [(nodes[side] > place) & (nodes[side] < len(nodes)) for side in ("left", "right")]
        right = bool((inside & children[0] & children[1] & (nodes["is_categorical"] == 0))[inner].all())
    if not right:
        raise ValueError(f"{file}: the nodes of a tree do not agree with each other")
