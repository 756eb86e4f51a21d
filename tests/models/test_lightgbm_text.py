"""LightGBM's text is given to the library only where its counts agree: a wrong one would end the process."""

import re

import numpy as np
import pytest

from omniretail.models.lightgbm_params import boosters, trained_text
from omniretail.models.lightgbm_text import checked_text

RNG = np.random.default_rng(0)
X = np.column_stack([RNG.normal(size=(400, 3)), RNG.integers(0, 40, 400)])
Y = (X[:, 0] + (X[:, 3] % 3 == 0) > 0).astype(float)
PARAMS = {"verbosity": -1, "num_threads": 1, "num_leaves": 6, "min_data_per_group": 5, "deterministic": True, "seed": 1}
OF_NUMBERS = trained_text({**PARAMS, "objective": "binary"}, X, Y, 3)
OF_CATEGORIES = trained_text({**PARAMS, "objective": "regression"}, X, X[:, 3] % 3, 3, categorical_feature=[3])


@pytest.mark.parametrize("text", [OF_NUMBERS, OF_CATEGORIES])
def test_what_lightgbm_writes_is_taken(text: str) -> None:
    assert checked_text(text) == text
    assert np.isfinite(boosters([text])[0].predict(X, num_threads=1)).all()


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "binary", "boosting_type": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
        {"objective": "binary", "min_data_in_leaf": 1000},  # trees without a split
        {"objective": lambda predictions, _: (predictions - Y, np.ones_like(Y))},
    ],
)
def test_forests_single_leaves_and_own_objectives_are_taken(settings: dict) -> None:
    checked_text(trained_text(PARAMS | settings, X, Y, 3))


def replaced(text: str, name: str, change: str) -> str:
    """The first line of that name with its first number changed, all sizes as they have to be."""
    line = re.search(rf"^{name}=(\S+)", text, re.MULTILINE)
    assert line is not None
    grown = text[: line.start(1)] + change + text[line.end(1) :]
    if line.start() < text.index("Tree=0"):
        return grown
    sizes = re.search(r"^tree_sizes=(\d+)", grown, re.MULTILINE)
    assert sizes is not None
    size = int(sizes[1]) + len(change) - len(line[1])
    return grown[: sizes.start(1)] + str(size) + grown[sizes.end(1) :]


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("left_child", "90000"),
        ("left_child", "-90000"),
        ("left_child", "0"),
        ("right_child", "77"),
        ("split_feature", "4"),
        ("split_feature", "-1"),
        ("decision_type", "99"),
        ("num_leaves", "7"),
        ("num_leaves", "0"),
        ("num_leaves", "900000000"),
        ("num_cat", "3"),
        ("leaf_value", "nonsense"),
        ("leaf_value", "1 2"),
        ("leaf_count", "1.5"),
        ("is_linear", "1"),
        ("max_feature_idx", "1"),
        ("num_class", "3"),
        ("num_tree_per_iteration", "2"),
        ("objective", "multiclass num_class:9"),
        ("tree_sizes", "90000"),
        ("tree_sizes", "-5"),
    ],
)
def test_counts_that_do_not_agree_are_refused(name: str, change: str) -> None:
    with pytest.raises(ValueError, match="the LightGBM text is broken: check "):
        boosters([replaced(OF_NUMBERS, name, change)])


@pytest.mark.parametrize(("name", "change"), [("cat_boundaries", "9"), ("cat_threshold", "-1"), ("num_cat", "999")])
def test_categories_out_of_range_are_refused(name: str, change: str) -> None:
    with pytest.raises(ValueError, match="the LightGBM text is broken: check "):
        boosters([replaced(OF_CATEGORIES, name, change)])


@pytest.mark.parametrize("text", ["", "tree\n", OF_NUMBERS[:900], OF_NUMBERS.replace("tree_sizes", "tree_size")])
def test_a_text_cut_off_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="the LightGBM text is broken: check "):
        boosters([text])
