"""LightGBM's text, checked against its own counts: the library trusts them, and a wrong one ends the process."""

import re
from collections.abc import Mapping

import numpy as np

_HEADER = frozenset(
    (
        *("version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective"),
        *("average_output", "feature_names", "feature_infos", "tree_sizes", "monotone_constraints"),
    )
)
_PER_SPLIT = (
    *("split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child"),
    *("internal_value", "internal_weight", "internal_count"),
)
_PER_LEAF = ("leaf_value", "leaf_weight", "leaf_count")
_SINGLE = ("num_leaves", "num_cat", "is_linear", "shrinkage")
_CATEGORIES = ("cat_boundaries", "cat_threshold")
_TREE = frozenset([*_PER_SPLIT, *_PER_LEAF, *_SINGLE, *_CATEGORIES])
_WHOLE = {"split_feature", "decision_type", "left_child", "right_child", "leaf_count", "internal_count", *_CATEGORIES}
_WHOLE_NUMBERS = re.compile(r"-?\d{1,10}(?: -?\d{1,10})*")
_DECIMAL = r"-?(?:\d{1,30}(?:\.\d{1,30})?(?:e[+-]?\d{1,3})?|inf)"
_DECIMALS = re.compile(f"{_DECIMAL}(?: {_DECIMAL})*")
_OBJECTIVE = re.compile(r"(?:binary sigmoid:\d+(?:\.\d+)?|[a-z_0-9]+)?")
_END = "end of trees\n"
_TRAILER = re.compile(
    r"\nfeature_importances:\n(?:[^\s=]+=\d+\n)*(?:\nparameters:\n(?:\[\w+: [^\]\n]*\]\n)*\nend of parameters\n)?"
    r"\s*(?:pandas_categorical:(?:null|\[\])\n?)?\s*"
)
_CATEGORICAL = 1


def checked_text(text: str) -> str:
    """The text, where all of its counts, places and sizes agree.

    Raises:
        ValueError: naming what does not agree.
    """
    _require(text.isascii() and text.startswith("tree\n") and _END in text, "its first line and its trees")
    head, _, rest = text.partition("\n\n")
    header = _pairs(head.removeprefix("tree\n"), _HEADER)
    trees, _, trailer = rest.partition(_END)
    _require(_TRAILER.fullmatch(trailer) is not None, "what follows the trees")
    n_features = _number(header, "max_feature_idx") + 1
    for name in ("feature_names", "feature_infos"):
        _require(len(header.get(name, "").split()) == n_features, f"max_feature_idx={n_features - 1} and {name}")
    _require(_OBJECTIVE.fullmatch(header.get("objective", "")) is not None, "objective")
    sizes = _array("tree_sizes", header.get("tree_sizes", ""), whole=True)
    per_iteration, n_classes = _number(header, "num_tree_per_iteration"), _number(header, "num_class")
    _require(per_iteration == n_classes >= 1 and len(sizes) % per_iteration == 0, "num_class and tree_sizes")
    trees = trees.lstrip("\n")
    _require((sizes > 0).all() and sizes.sum() == len(trees), "tree_sizes and the trees' lengths")
    for number, (start, size) in enumerate(zip(np.cumsum(sizes) - sizes, sizes, strict=True)):
        block = trees[start : start + size]
        _require(block.startswith(f"Tree={number}\n"), f"tree_sizes and the place of tree {number}")
        _check_tree(_pairs(block.partition("\n")[2], _TREE), n_features, f"tree {number}")
    return text


def _require(agrees: bool | np.bool_, what: str) -> None:
    if not agrees:
        raise ValueError(f"the LightGBM text is broken: check {what}")


def _check_tree(tree: Mapping[str, str], n_features: int, name: str) -> None:
    """One tree: every array as long as its leaves say, every node and leaf the child of one node that stands before."""
    n_leaves, n_categories = _number(tree, "num_leaves"), _number(tree, "num_cat")
    _require(n_leaves >= 1 and n_categories >= 0, f"{name}: num_leaves and num_cat")
    _require(tree.get("is_linear", "0") == "0", f"{name}: is_linear=1, which no model here is")
    _require(len(_array(f"{name}: shrinkage", tree.get("shrinkage", ""), whole=False)) == 1, f"{name}: shrinkage")
    arrays = {key: _array(f"{name}: {key}", tree.get(key, ""), key in _WHOLE) for key in (*_PER_SPLIT, *_PER_LEAF)}
    for key, array in arrays.items():
        expected = n_leaves - 1 if key in _PER_SPLIT else n_leaves
        single = n_leaves == 1 and key in ("leaf_weight", "leaf_count") and not len(array)
        _require(len(array) == expected or single, f"{name}: num_leaves={n_leaves} and the length of {key}")
    feature, kind = arrays["split_feature"], arrays["decision_type"]
    _require(((feature >= 0) & (feature < n_features)).all(), f"{name}: split_feature and max_feature_idx")
    _require(((kind >= 0) & (kind < 16)).all(), f"{name}: decision_type and its four bits")
    _check_children(arrays["left_child"], arrays["right_child"], n_leaves, name)
    _check_categories(tree, arrays["threshold"][kind & _CATEGORICAL > 0], n_categories, name)


def _check_children(left: np.ndarray, right: np.ndarray, n_leaves: int, name: str) -> None:
    nodes = np.arange(n_leaves - 1)
    after = all(((child < 0) | (child > nodes)).all() for child in (left, right))
    every = np.sort(np.concatenate([left, right]))
    expected = np.concatenate([np.arange(-n_leaves, 0), nodes[1:]]) if n_leaves > 1 else nodes
    _require(after and np.array_equal(every, expected), f"{name}: left_child and right_child")


def _check_categories(tree: Mapping[str, str], places: np.ndarray, n_categories: int, name: str) -> None:
    """Thresholds of categories are places in ``cat_boundaries``, which are places in ``cat_threshold``."""
    boundaries, bits = (_array(f"{name}: {key}", tree.get(key, ""), whole=True) for key in _CATEGORIES)
    _require(len(boundaries) == (n_categories + 1 if n_categories else 0), f"{name}: num_cat and cat_boundaries")
    inside = (places >= 0) & (places < n_categories) & (places == np.floor(places))
    _require(inside.all(), f"{name}: threshold and num_cat")
    if n_categories:
        rising = boundaries[0] == 0 and (np.diff(boundaries) > 0).all() and boundaries[-1] == len(bits)
        _require(rising, f"{name}: cat_boundaries and cat_threshold")
        _require(((bits >= 0) & (bits < 2**32)).all(), f"{name}: cat_threshold and its 32 bits")


def _pairs(block: str, names: frozenset[str]) -> dict[str, str]:
    """``name=value`` lines; a line without a value is true."""
    pairs: dict[str, str] = {}
    for line in block.strip("\n").split("\n"):
        name, _, value = line.partition("=")
        _require(name in names and name not in pairs, f"the line {line[:40]!r}, which is unknown or stands twice")
        pairs[name] = value
    return pairs


def _number(pairs: Mapping[str, str], name: str) -> int:
    value = pairs.get(name, "")
    _require(re.fullmatch(r"-?\d{1,9}", value) is not None, f"{name}={value[:40]}, which is no whole number")
    return int(value)


def _array(name: str, value: str, whole: bool) -> np.ndarray:
    """Numbers between single spaces; int64 or float64, shape (n,)."""
    pattern = _WHOLE_NUMBERS if whole else _DECIMALS
    _require(not value or pattern.fullmatch(value) is not None, f"{name}, which holds what is no number")
    return np.array(value.split(), dtype=np.int64 if whole else np.float64)
