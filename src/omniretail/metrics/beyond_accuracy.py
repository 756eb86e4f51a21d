"""Metrics beyond accuracy: novelty, diversity and concentration of the lists.

None of them reads the held-out items. Empty places (-1) are left out; an empty list has no value (NaN).
"""

import numpy as np

from omniretail.metrics.ranked_lists import RankedLists


def novelty_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Mean self-information of the items shown, in bits; one value per user.

    ``mean of -log2(training users of the item / training users)``: 0 for an item that every user has, +1 for each
    halving of its audience. Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender systems",
    PNAS 2010. An item without training users counts as having one, which keeps the value finite.

    >>> lists = RankedLists.of([[0, 1], [2, -1]], held_out=[{1}, {0}], item_users=[2, 1, 1])
    >>> novelty_at_k(lists, 2)
    array([0.5, 1. ])
    """
    ranked = lists.top(k).ranked
    bits = -np.log2(np.maximum(lists.item_users, 1) / lists.n_users)
    shown = ranked >= 0
    return _ratio(np.where(shown, bits[ranked], 0.0).sum(axis=1), shown.sum(axis=1))


def intra_list_diversity_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Share of the pairs of items shown together that differ in category; one value per user.

    Ziegler et al., "Improving recommendation lists through topic diversification", WWW 2005, with 0/1 as the distance.
    Pairs with an item of unknown category are left out. NaN where no pair remains.

    >>> lists = RankedLists.of([[0, 1, 2], [0, 3, -1]], [{1}, {0}], item_users=[1] * 4, category=[7, 7, 8, -1])
    >>> intra_list_diversity_at_k(lists, 3).round(4)
    array([0.6667,    nan])
    """
    ranked = lists.top(k).ranked
    if lists.category is None:
        return np.full(len(ranked), np.nan)
    category = np.sort(np.where(ranked >= 0, lists.category[ranked], -1), axis=1)
    counted = category >= 0
    n_items = counted.sum(axis=1)
    pairs = n_items * (n_items - 1) / 2
    return _ratio(pairs - (_earlier_equals(category) * counted).sum(axis=1), pairs)


def catalogue_coverage_at_k(lists: RankedLists, k: int) -> float:
    """Share of the catalogue that is in at least one user's top ``k``.

    Herlocker et al., "Evaluating collaborative filtering recommender systems", TOIS 2004.

    >>> lists = RankedLists.of([[0, 1], [0, -1]], held_out=[{1}, {0}], item_users=[1] * 4)
    >>> catalogue_coverage_at_k(lists, 2)
    0.5
    """
    return float((_exposure(lists, k) > 0).mean())


def gini_at_k(lists: RankedLists, k: int) -> float:
    """Gini coefficient of the exposure over the whole catalogue, never-shown items included.

    0 where every item is shown equally often, close to 1 where one item takes all places; NaN where nothing is shown.
    With exposures ascending, ``sum over i of (2 i - I - 1) x_i / (I * sum of x)``. Fleder and Hosanagar, "Blockbuster
    culture's next rise or fall", Management Science 2009.

    >>> lists = RankedLists.of([[0, 1], [0, -1]], held_out=[{1}, {0}], item_users=[1] * 4)
    >>> round(gini_at_k(lists, 2), 4)
    0.5833
    """
    exposure = np.sort(_exposure(lists, k))
    if exposure.sum() == 0:
        return float("nan")
    weight = 2 * np.arange(1, len(exposure) + 1) - len(exposure) - 1
    return float(weight @ exposure / (len(exposure) * exposure.sum()))


def _exposure(lists: RankedLists, k: int) -> np.ndarray:
    ranked = lists.top(k).ranked
    return np.bincount(ranked[ranked >= 0], minlength=lists.n_items)


def _earlier_equals(ascending: np.ndarray) -> np.ndarray:
    """Number of equal entries before each entry of its row; their sum is the number of equal pairs. Same shape."""
    place = np.arange(ascending.shape[1])
    starts = np.ones(ascending.shape, dtype=bool)
    starts[:, 1:] = ascending[:, 1:] != ascending[:, :-1]
    return place - np.maximum.accumulate(np.where(starts, place, 0), axis=1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
