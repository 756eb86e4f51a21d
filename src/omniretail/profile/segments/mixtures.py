"""k-means and Gaussian mixtures in one form: centres, variances and weights."""

import warnings
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

Method = Literal["kmeans", "gaussian"]

_N_INIT: Any = 5  # the stubs know the word auto only
_REG_COVAR = 1e-3
"""Added to a Gaussian's variances, in squared standard deviations, so that none collapses onto one customer."""


@dataclass(frozen=True)
class Mixture:
    """K Gaussians with diagonal covariances; k-means is the one with equal weights and variances.

    Attributes:
        centres: shape (K, D).
        variances: shape (K, D).
        weights: sum to 1; shape (K,).
    """

    centres: np.ndarray
    variances: np.ndarray
    weights: np.ndarray

    def __len__(self) -> int:
        return len(self.weights)

    def subset(self, components: np.ndarray) -> "Mixture":
        """Some of the Gaussians, in this order."""
        weights = self.weights[components]
        return Mixture(self.centres[components], self.variances[components], weights / weights.sum())

    def nearest(self, points: np.ndarray) -> np.ndarray:
        """The most probable Gaussian of each point; for k-means, the nearest centre.

        Args:
            points: shape (N, D).

        Returns:
            In 0..K-1; shape (N,).
        """
        precisions = 1 / self.variances
        constant = 2 * np.log(self.weights) - np.log(self.variances).sum(1) - (self.centres**2 * precisions).sum(1)
        return (constant + 2 * points @ (self.centres * precisions).T - points**2 @ precisions.T).argmax(axis=1)


def fit_mixture(points: np.ndarray, n: int, method: Method, seed: int) -> Mixture:
    """Fit n Gaussians or n centres; some may have no customers where fewer points are distinct.

    Args:
        points: standardised; shape (N, D).
        n: at most N.
        method: ``kmeans`` or ``gaussian`` (diagonal covariances).
        seed: of the initialisations.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct points than centres
        return _kmeans(points, n, seed) if method == "kmeans" else _gaussian(points, n, seed)


def _kmeans(points: np.ndarray, n: int, seed: int) -> Mixture:
    centres = KMeans(n, n_init=_N_INIT, random_state=seed).fit(points).cluster_centers_
    return Mixture(centres, np.ones_like(centres), np.full(n, 1 / n))


def _gaussian(points: np.ndarray, n: int, seed: int) -> Mixture:
    settings = {"covariance_type": "diag", "n_init": _N_INIT, "reg_covar": _REG_COVAR, "random_state": seed}
    model = GaussianMixture(n, **settings).fit(points)
    return Mixture(*(np.asarray(learned) for learned in (model.means_, model.covariances_, model.weights_)))
