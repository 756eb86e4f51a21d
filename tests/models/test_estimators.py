"""scikit-learn's estimators in files: equal predictions, no pickle, and nothing that reads past an array."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from omniretail.models.estimators import read_estimator, write_estimator
from omniretail.models.saving import load, save
from omniretail.models.uplift.t_learner import TLearner

X = np.random.default_rng(0).normal(size=(200, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(max_iter=5, random_state=1),
        HistGradientBoostingRegressor(max_iter=5, random_state=1),
        make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression()),
    ],
)
def test_what_is_read_predicts_alike(estimator: Any, tmp_path: Path) -> None:
    write_estimator(estimator.fit(X, Y), tmp_path / "it.skops")
    np.testing.assert_array_equal(read_estimator(tmp_path / "it.skops").predict(X), estimator.predict(X))


def test_a_learner_over_a_pipeline_is_saved(tmp_path: Path) -> None:
    learner = TLearner(make_pipeline(StandardScaler(), LogisticRegression())).fit(pd.DataFrame(X), X[:, 1] > 0, Y)
    save(learner, tmp_path)
    np.testing.assert_array_equal(load(tmp_path).predict(pd.DataFrame(X)), learner.predict(pd.DataFrame(X)))


@pytest.mark.parametrize("estimator", [RandomForestClassifier(3), make_pipeline(StandardScaler(), SVC())])
def test_others_are_refused_with_those_that_can_be_saved(estimator: Any, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="cannot be saved without pickle; of scikit-learn, DummyClassifier, HistGrad"):
        write_estimator(estimator.fit(X, Y), tmp_path / "it.skops")
    assert not list(tmp_path.iterdir())


def test_a_file_with_another_class_is_refused(tmp_path: Path) -> None:
    skops.io.dump(SVC().fit(X, Y), tmp_path / "it.skops")
    with pytest.raises(ValueError, match=r"it\.skops holds a sklearn\.svm\._classes\.SVC, which is no estimator"):
        read_estimator(tmp_path / "it.skops")


@pytest.mark.parametrize(
    ("field", "value"), [("left", 60_000), ("right", 0), ("feature_idx", 9), ("feature_idx", -4), ("is_categorical", 1)]
)
def test_trees_that_do_not_agree_with_themselves_are_refused(field: str, value: int, tmp_path: Path) -> None:
    def broken(nodes: np.ndarray) -> np.ndarray:
        nodes[field][0] = value
        return nodes

    write_estimator(HistGradientBoostingClassifier(max_iter=2).fit(X, Y), tmp_path / "it.skops")
    with_nodes(tmp_path / "it.skops", broken)
    with pytest.raises(ValueError, match=r"it\.skops: the nodes of a tree do not agree with each other"):
        read_estimator(tmp_path / "it.skops")


def with_nodes(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """The file with the nodes of its trees changed."""
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    assert json.loads(members["schema.json"])
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            array = np.load(io.BytesIO(content)) if name.endswith(".npy") else np.zeros(0)
            if array.dtype.names:
                buffer = io.BytesIO()
                np.save(buffer, change(array))
                content = buffer.getvalue()
            file.writestr(name, content)
