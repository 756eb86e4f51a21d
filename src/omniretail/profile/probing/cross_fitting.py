"""Repeated K-fold cross-fitting: every customer is scored by probes that were not trained on them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from omniretail.profile.folds import stratified_folds
from omniretail.profile.probing.probes import Probes
from omniretail.profile.probing.targets import Target


@dataclass(frozen=True)
class ProbePredictions:
    """What probes predict for one question, for the customers whose label is known.

    Attributes:
        target: the question with the labels that it is evaluated by.
        rows: those customers; shape (N,).
        by_probe: predictions per probe and seed; each of shape (S, N, T).
    """

    target: Target
    rows: np.ndarray
    by_probe: Mapping[str, np.ndarray]

    @property
    def truth(self) -> np.ndarray:
        """Shape (N, T)."""
        return self.target.truth[self.rows]

    @property
    def blend(self) -> np.ndarray:
        """The mean over the probes, so that none is picked afterwards; shape (S, N, T)."""
        return np.mean(list(self.by_probe.values()), axis=0)


def cross_fit(
    probes: Probes, learned: Target, evaluated: Target, earlier: np.ndarray, later: np.ndarray, n_folds: int = 5
) -> ProbePredictions:
    """Train on customers at the earlier cutoff, and predict for other customers at the later one.

    Args:
        probes: which, and with how many seeds.
        learned: the question with the labels to learn from: attributes, or events of the earlier window.
        evaluated: the same question with the labels to evaluate by.
        earlier: embeddings at the earlier cutoff, NaN rows for customers without events before it; shape (U, D).
        later: embeddings at the later cutoff; shape (U, D).
        n_folds: folds of customers.
    """
    rows = evaluated.labelled
    trainable = np.zeros(len(earlier), dtype=bool)
    trainable[learned.labelled] = True
    trainable &= ~np.isnan(earlier).any(axis=1)
    by_name = probes.for_target(evaluated)
    scores = {name: np.zeros((probes.n_seeds, len(rows), len(evaluated.classes))) for name in by_name}
    for seed in range(probes.n_seeds if evaluated.classes and len(rows) >= n_folds else 0):
        fold_of = stratified_folds(_stratum(evaluated.truth[rows]), n_folds, seed)
        for fold in range(n_folds):
            scored = rows[fold_of == fold]
            training = trainable.copy()
            training[scored] = False
            x, y = earlier[training], learned.truth[training]
            for name, probe in by_name.items():
                scores[name][seed, fold_of == fold] = probe.fit(x, y, seed)(later[scored])
    return ProbePredictions(evaluated, rows, scores)


def _stratum(truth: np.ndarray) -> np.ndarray:
    """What folds are balanced by: the first class, or, with one column, the side of the median; shape (N,)."""
    return truth.argmax(axis=1) if truth.shape[1] > 1 else truth[:, 0] > np.median(truth[:, 0])
