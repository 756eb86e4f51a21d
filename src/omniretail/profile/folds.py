"""Random folds of customers, balanced by a class."""

import numpy as np


def stratified_folds(stratum: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """A fold for each customer, 0 to ``n_folds`` - 1; every stratum is spread evenly over the folds.

    scikit-learn's ``StratifiedKFold`` gives other folds, on which published figures move by more than over seeds (the
    AUC of marital status by .024, with a standard deviation of .009), and warns of strata with fewer customers than
    folds, which are common among classes of purchases.

    Args:
        stratum: anything that can be sorted; shape (N,).
        n_folds: K.
        seed: another seed gives other folds.

    Returns:
        Shape (N,).
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(stratum)), stratum))
    folds = np.empty(len(stratum), dtype=np.int64)
    folds[order] = np.arange(len(stratum)) % n_folds
    return folds
