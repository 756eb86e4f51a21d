"""Customers on a plane: similar embeddings lie near each other."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from omniretail.profile.segments.scaling import ClippedScaler, checked

_DIMENSIONS, _PERPLEXITY = 50, 30.0


@dataclass(frozen=True)
class Plane:
    """Coordinates of each customer.

    Attributes:
        coordinates: without a unit; shape (N, 2).
        note: how they are made and how to read them, in sentences for people.
    """

    coordinates: np.ndarray
    note: str


def plane(embeddings: np.ndarray, max_customers: int = 20_000, seed: int = 0) -> Plane:
    """Two dimensions of an embedding: its 50 principal components, then t-SNE.

    Van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008; initialised at the principal components, as
    Kobak and Berens advise ("The art of using t-SNE for single-cell transcriptomics", Nature Communications 2019).
    Principal components alone where customers are too many or too few for t-SNE.

    Args:
        embeddings: a row per customer; shape (N, D).
        max_customers: beyond these t-SNE is not used.
        seed: of both methods.

    Raises:
        SettingsError: where there are no customers, or a value is not finite.
    """
    values = checked(embeddings)
    scaler = ClippedScaler.fit(values)
    if not scaler.varies:
        return Plane(np.zeros((len(values), 2)), "All customers have the same embedding and lie on one point.")
    points = _components(scaler.transform(values), _DIMENSIONS, seed)
    if len(points) > max_customers:
        return Plane(
            _two(points), f"The first two principal components of the embedding: more than {max_customers:,} customers."
        )
    if len(points) < 10:
        return Plane(_two(points), "The first two principal components of the embedding: too few customers for t-SNE.")
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    scaled = points / points[:, 0].std()
    initial: Any = _two(scaled) * 1e-4  # the stubs know names of methods only
    coordinates = TSNE(init=initial, perplexity=perplexity, random_state=seed).fit_transform(scaled)
    note = "t-SNE: neighbours are similar; distances between groups, and their sizes, mean nothing."
    return Plane(coordinates.astype(np.float64), note)


def _components(points: np.ndarray, n: int, seed: int) -> np.ndarray:
    return PCA(min(n, *points.shape), random_state=seed).fit_transform(points)


def _two(components: np.ndarray) -> np.ndarray:
    return np.pad(components, ((0, 0), (0, 2)))[:, :2]
