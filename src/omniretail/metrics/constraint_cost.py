"""How constraints change the lists: the share that is feasible, and the loss of score.

Lists without constraints (*before*) are compared with those shown (*after*). One value per user.
"""

import numpy as np


def feasible_share_at_k(feasible: np.ndarray, k: int) -> np.ndarray:
    """Share of the first ``k`` places that hold a feasible item; an empty place holds none.

    Args:
        feasible: True where the place holds an item that passes every rule; shape (U, N).
        k: list length, in items.

    >>> feasible_share_at_k(np.array([[True, False, True], [False, False, True]]), 2)
    array([0.5, 0. ])
    """
    return feasible[:, :k].mean(axis=1)


def score_regret_at_k(before: np.ndarray, after: np.ndarray, average: np.ndarray, k: int) -> np.ndarray:
    """Share of the model's own gain that is lost to the constraints.

    ``1 - (mean score of the list shown - average) / (mean score of the unconstrained list - average)``: 0 where nothing
    is lost, 1 where the list has the mean score of random items, above 1 where it has less. It does not depend on the
    unit or the zero of the scores, so models can be compared.

    Args:
        before: scores of the unconstrained list; NaN where a place is empty; shape (U, N).
        after: the same model's scores of the items shown; NaN where a place is empty, which counts as an average item;
            shape (U, N).
        average: the user's mean score over the catalogue; shape (U,).
        k: list length, in items.

    Returns:
        NaN where the unconstrained list is not better than average; shape (U,).

    >>> score_regret_at_k(np.array([[9.0, 7.0]]), np.array([[7.0, 3.0]]), average=np.array([2.0]), k=2)
    array([0.5])
    """
    gains = [np.nan_to_num(each[:, :k] - average[:, None]).sum(axis=1) for each in (before, after)]
    lost = gains[0] - gains[1]
    return np.divide(lost, gains[0], out=np.full(len(before), np.nan), where=gains[0] > 0)
