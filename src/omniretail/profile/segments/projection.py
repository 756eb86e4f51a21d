"""Customers on a plane, near each other where their embeddings are."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from omniretail.profile.segments.scaling import Standard, checked

_DIMENSIONS, _PERPLEXITY = 50, 30.0


@dataclass(frozen=True)
class Plane:
    """A place for each customer.

    Attributes:
        places: without a unit; shape (N, 2).
        words: how they came about, and what they mean, in sentences for people.
    """

    places: np.ndarray
    words: str


def plane(embeddings: np.ndarray, max_customers: int = 20_000, seed: int = 0) -> Plane:
    """Two dimensions of an embedding: its 50 principal components, then t-SNE.

    Van der Maaten and Hinton, "Visualizing data using t-SNE", JMLR 2008; begun at the principal components, as Kobak
    and Berens advise ("The art of using t-SNE for single-cell transcriptomics", Nature Communications 2019). Principal
    components alone where customers are too many for it, or too few.

    Args:
        embeddings: a row per customer; shape (N, D).
        max_customers: beyond these t-SNE is not used.
        seed: of both methods.

    Raises:
        ValueError: where there are no customers, or a value is not finite.
    """
    values = checked(embeddings)
    standard = Standard.of(values)
    if not standard.varies:
        return Plane(np.zeros((len(values), 2)), "All customers have the same embedding and lie on one point.")
    points = _components(standard.apply(values), _DIMENSIONS, seed)
    if len(points) > max_customers:
        return Plane(_two(points), f"The two main components of the embedding: more than {max_customers:,} customers.")
    if len(points) < 10:
        return Plane(_two(points), "The two main components of the embedding: too few customers for another map.")
    perplexity = min(_PERPLEXITY, (len(points) - 1) / 3)
    scaled = points / points[:, 0].std()
    begin: Any = _two(scaled) * 1e-4  # the stubs know the words only
    moved = TSNE(init=begin, perplexity=perplexity, random_state=seed).fit_transform(scaled)
    words = "t-SNE: near each other means alike; distances between groups, and their sizes, mean nothing."
    return Plane(moved.astype(np.float64), words)


def _components(points: np.ndarray, n: int, seed: int) -> np.ndarray:
    return PCA(min(n, *points.shape), random_state=seed).fit_transform(points)


def _two(components: np.ndarray) -> np.ndarray:
    return np.pad(components, ((0, 0), (0, 2)))[:, :2]
