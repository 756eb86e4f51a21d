"""Segments of customers from any embedding."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.profile.segments.mixtures import Method, Mixture, fit_mixture
from omniretail.profile.segments.prediction_strength import best_number, prediction_strengths
from omniretail.profile.segments.scaling import ClippedScaler, checked


@dataclass(frozen=True)
class Segments:
    """A segmentation that other customers, or the same ones later, can be assigned to.

    Attributes:
        labels: the segment of each customer it was made from; 1 is the largest; int32, shape (N,).
        scaler: of the embeddings.
        mixture: the segments among scaled embeddings; row s is segment s + 1.
        method: ``kmeans`` or ``gaussian``.
        n_fitted: number of segments before small ones were dissolved.
        min_customers: of a segment, unless there is only one.
        strengths: the prediction strength of each number of segments that was tried.
        note: how the number came about, in sentences for people.
    """

    labels: np.ndarray
    scaler: ClippedScaler
    mixture: Mixture
    method: Method
    n_fitted: int
    min_customers: int
    strengths: Mapping[int, float] = field(default_factory=dict)
    note: str = ""

    @property
    def n_segments(self) -> int:
        """How many there are."""
        return len(self.mixture)

    @property
    def sizes(self) -> np.ndarray:
        """Customers in each segment, from the first; shape (K,)."""
        return np.bincount(self.labels, minlength=self.n_segments + 1)[1:]


def fit_segments(
    embeddings: np.ndarray,
    min_segments: int = 2,
    max_segments: int = 12,
    method: Method = "kmeans",
    min_customers: int = 20,
    min_strength: float = 0.8,
    seed: int = 0,
) -> Segments:
    """Cluster customers; the number of segments is one that another sample reproduces.

    Embeddings are standardised by column. The largest number of segments with a prediction strength of
    ``min_strength`` is used (see ``prediction_strengths``), the strongest where none has it; the note says which.
    Segments with fewer than ``min_customers`` customers are then dissolved, and their customers go to the next best.

    Args:
        embeddings: a row per customer; shape (N, D).
        min_segments: fewest; there are fewer still where customers are too few or too alike, or small ones dissolved.
        max_segments: most.
        method: ``kmeans``, or ``gaussian`` for a mixture with diagonal covariances, whose segments differ in width.
        min_customers: of each segment.
        min_strength: prediction strength that is enough.
        seed: the same seed gives the same segments.

    Raises:
        SettingsError: where there are no customers, a value is not finite, or the bounds contradict each other.
    """
    if not 1 <= min_segments <= max_segments or min_customers < 1:
        bounds = f"{min_segments=}, {max_segments=}, {min_customers=}"
        raise SettingsError(f"1 <= min_segments <= max_segments and min_customers >= 1 must hold; {bounds}")
    values = checked(embeddings)
    scaler, most = ClippedScaler.fit(values), min(max_segments, len(values) // min_customers)
    if not scaler.varies or most <= 1:
        one = fixed_segments(values, 1, method, min_customers, seed)
        return replace(one, note=_why_one(len(values), scaler.varies, max_segments, min_customers))
    lowest = min(min_segments, most)
    strengths = prediction_strengths(scaler.transform(values), lowest, most, method, seed)
    n = best_number(strengths, min_strength) if strengths else lowest
    segments = replace(fixed_segments(values, n, method, min_customers, seed), strengths=strengths)
    return replace(segments, note=_why(segments, min_strength))


def fixed_segments(embeddings: np.ndarray, n: int, method: Method, min_customers: int, seed: int) -> Segments:
    """As many segments as ``n``, fewer where some would be too small; arguments as for ``fit_segments``."""
    values = checked(embeddings)
    scaler = ClippedScaler.fit(values)
    points = scaler.transform(values)
    large = _without_small(fit_mixture(points, min(n, len(points)), method, seed), points, min_customers)
    sizes = np.bincount(large.nearest(points), minlength=len(large))
    ordered = large.subset(np.argsort(-sizes, kind="stable"))
    return Segments(_labels(ordered, points), scaler, ordered, method, n, min_customers)


def assign(segments: Segments, embeddings: np.ndarray) -> np.ndarray:
    """The segment of each customer, new ones or the same ones later.

    Args:
        segments: from ``fit_segments``.
        embeddings: of the encoder that the segments were made with; shape (B, D).

    Returns:
        In 1..K; int32, shape (B,).
    """
    return _labels(segments.mixture, segments.scaler.transform(checked(embeddings)))


def _labels(mixture: Mixture, points: np.ndarray) -> np.ndarray:
    return (mixture.nearest(points) + 1).astype(np.int32)


def _without_small(mixture: Mixture, points: np.ndarray, min_customers: int) -> Mixture:
    """Dissolve the smallest segment until all are large enough."""
    while len(mixture) > 1:
        sizes = np.bincount(mixture.nearest(points), minlength=len(mixture))
        if sizes.min() >= min_customers:
            break
        mixture = mixture.subset(np.delete(np.arange(len(mixture)), sizes.argmin()))
    return mixture


def _why_one(n_customers: int, varies: bool, max_segments: int, min_customers: int) -> str:
    if not varies:
        return "All customers have the same embedding, so they are one segment."
    if max_segments == 1:
        return "The number of segments is set to one."
    return (
        f"{n_customers:,} customers are too few for two segments of at least {min_customers}, so they are one segment."
    )


def _why(segments: Segments, min_strength: float) -> str:
    n, strength = segments.n_fitted, segments.strengths.get(segments.n_fitted)
    if strength is None:
        why = f"There are too few customers to measure the prediction strength of {n} segments."
    elif strength >= min_strength:
        least = f"{min_strength:g} or more ({strength:.2f})"
        why = f"{n} is the largest number of segments with a prediction strength of {least}."
    else:
        tried = f"{min(segments.strengths)} to {max(segments.strengths)}"
        why = (
            f"No number of segments from {tried} has a prediction strength of {min_strength:g}: there are no clear "
            f"borders between customers, and another sample would give other segments. Shown is the strongest number, "
            f"{n} ({strength:.2f})."
        )
    dissolved = n - segments.n_segments
    few = (
        f" Of these, {dissolved} with fewer than {segments.min_customers} customers joined others." if dissolved else ""
    )
    return why + few
