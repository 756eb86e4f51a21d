"""Accuracy of ranked lists: one value per user.

Every function takes the lists and a length ``k`` and gives float64 of shape (U,), NaN for a user with nothing held out.
A held-out item outside the catalogue cannot be hit and counts as a miss: leaving it out would reward a model for items
that it has never seen.
"""

import numpy as np

from omniretail.metrics.ranked_lists import RankedLists


def ndcg_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Normalised discounted cumulative gain: hits count less the lower they are ranked.

    ``DCG = sum over places i of hit_i / log2(i + 1)``, divided by the DCG of a perfect list, whose first
    ``min(k, held out)`` places are hits. Gains are binary. Järvelin and Kekäläinen, "Cumulated gain-based evaluation of
    IR techniques", TOIS 2002, with the logarithm from the first place on, as is common today.

    >>> lists = RankedLists.of([[4, 2, 0], [1, 3, 5]], held_out=[{2, 9}, {1}], item_users=[1] * 6)
    >>> ndcg_at_k(lists, 3).round(4)
    array([0.3869, 1.    ])
    """
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(lists.n_held_out, k)]
    return _share(lists.top(k).hits @ discount, ideal)


def recall_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Share of each user's held-out items that are in the top ``k``.

    ``hits / held out``. The divisor is the number of held-out items, not ``min(k, held out)``, so a user with more than
    ``k`` of them cannot reach 1.

    >>> lists = RankedLists.of([[4, 2, 0], [1, 3, 5]], held_out=[{2, 9}, {1}], item_users=[1] * 6)
    >>> recall_at_k(lists, 3)
    array([0.5, 1. ])
    """
    return _share(lists.top(k).hits.sum(axis=1), lists.n_held_out)


def precision_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Share of the top ``k`` places that hold a held-out item.

    ``hits / k``. The divisor is ``k`` also where the policy leaves places empty.

    >>> lists = RankedLists.of([[4, 2, 0], [1, 3, 5]], held_out=[{2, 9}, {1}], item_users=[1] * 6)
    >>> precision_at_k(lists, 2)
    array([0.5, 0.5])
    """
    return _where_held_out(lists.top(k).hits.mean(axis=1), lists)


def hit_rate_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """1 where the top ``k`` hold any held-out item, else 0.

    Also called success or hit ratio.

    >>> lists = RankedLists.of([[4, 2, 0], [1, 3, 5]], held_out=[{2, 9}, {1}], item_users=[1] * 6)
    >>> hit_rate_at_k(lists, 1)
    array([0., 1.])
    """
    return _where_held_out(lists.top(k).hits.any(axis=1).astype(float), lists)


def mrr_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Reciprocal of the first hit's place, 0 where the top ``k`` hold none.

    Voorhees, "The TREC-8 question answering track report", TREC 1999.

    >>> lists = RankedLists.of([[4, 2, 0], [1, 3, 5]], held_out=[{2, 9}, {1}], item_users=[1] * 6)
    >>> mrr_at_k(lists, 3)
    array([0.5, 1. ])
    """
    return _where_held_out((lists.top(k).hits / np.arange(1, k + 1)).max(axis=1), lists)


def map_at_k(lists: RankedLists, k: int) -> np.ndarray:
    """Average precision: precision at each hit's place, averaged over the hits that were possible.

    ``AP = sum over places i of hit_i * hits up to i / i``, divided by ``min(k, held out)``, so that a perfect list
    scores 1 (the convention of Kaggle's retail contests). trec_eval divides by the held-out items instead.

    >>> lists = RankedLists.of([[4, 2, 0], [1, 3, 5]], held_out=[{2, 9}, {1}], item_users=[1] * 6)
    >>> map_at_k(lists, 3)
    array([0.25, 1.  ])
    """
    hits = lists.top(k).hits
    precision = np.cumsum(hits, axis=1) / np.arange(1, k + 1)
    return _share((precision * hits).sum(axis=1), np.minimum(lists.n_held_out, k))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _where_held_out(values: np.ndarray, lists: RankedLists) -> np.ndarray:
    return np.where(lists.n_held_out > 0, values, np.nan)
