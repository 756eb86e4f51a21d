"""Segments of customers from any embedding."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from omniretail.profile.segments.mixtures import Method, Mixture, mixture
from omniretail.profile.segments.prediction_strength import prediction_strengths, strongest
from omniretail.profile.segments.scaling import Standard, checked


@dataclass(frozen=True)
class Segments:
    """A segmentation that can be asked about other customers, or the same ones later.

    Attributes:
        labels: the segment of each customer it was made from; 1 is the largest; int32, shape (N,).
        standard: how embeddings are scaled.
        mixture: where the segments lie among scaled embeddings; row s is segment s + 1.
        method: ``kmeans`` or ``gaussian``.
        n_sought: how many segments were asked for, before small ones were joined to their neighbours.
        smallest: customers that a segment has at least, unless there is only one.
        strengths: the prediction strength of each number of segments that was tried.
        note: how the number came about, in sentences for people.
    """

    labels: np.ndarray
    standard: Standard
    mixture: Mixture
    method: Method
    n_sought: int
    smallest: int
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
    smallest: int = 20,
    enough: float = 0.8,
    seed: int = 0,
) -> Segments:
    """Cluster customers; how many segments there are is what another sample would show again.

    Embeddings are standardised by column. The largest number of segments with a prediction strength of ``enough`` is
    taken (see ``prediction_strengths``), the strongest where none has it; the note says which. Segments with fewer than
    ``smallest`` customers are then dissolved, and their customers go to the next best one.

    Args:
        embeddings: a row per customer; shape (N, D).
        min_segments: fewest; there are still fewer where customers are too few or too alike, or small ones were joined.
        max_segments: most.
        method: ``kmeans``, or ``gaussian`` for a mixture with diagonal covariances, whose segments differ in width.
        smallest: customers that a segment must have.
        enough: prediction strength that is enough.
        seed: the same seed gives the same segments.

    Raises:
        ValueError: where there are no customers, a value is not finite, or the bounds make no sense.
    """
    if not 1 <= min_segments <= max_segments or smallest < 1:
        raise ValueError(f"need 1 <= min_segments <= max_segments; {min_segments=}, {max_segments=}, {smallest=}")
    values = checked(embeddings)
    standard, most = Standard.of(values), min(max_segments, len(values) // smallest)
    if not standard.varies or most <= 1:
        alone = fixed_segments(values, 1, method, smallest, seed)
        return replace(alone, note=_why_one(len(values), standard.varies, max_segments, smallest))
    lowest = min(min_segments, most)
    strengths = prediction_strengths(standard.apply(values), lowest, most, method, seed)
    n_sought = strongest(strengths, enough) if strengths else lowest
    made = replace(fixed_segments(values, n_sought, method, smallest, seed), strengths=strengths)
    return replace(made, note=_why(made, enough))


def fixed_segments(embeddings: np.ndarray, n: int, method: Method, smallest: int, seed: int) -> Segments:
    """So many segments, fewer where some would be smaller than ``smallest``; arguments as for ``fit_segments``."""
    values = checked(embeddings)
    standard = Standard.of(values)
    points = standard.apply(values)
    kept = _without_small(mixture(points, min(n, len(points)), method, seed), points, smallest)
    ordered = kept.take(np.argsort(-np.bincount(kept.nearest(points), minlength=len(kept)), kind="stable"))
    return Segments(_labels(ordered, points), standard, ordered, method, n, smallest)


def assign(segments: Segments, embeddings: np.ndarray) -> np.ndarray:
    """The segment of each customer, new ones or the same ones later.

    Args:
        segments: from ``fit_segments``.
        embeddings: of the encoder that the segments were made with; shape (B, D).

    Returns:
        In 1..K; int32, shape (B,).
    """
    return _labels(segments.mixture, segments.standard.apply(checked(embeddings)))


def _labels(made: Mixture, points: np.ndarray) -> np.ndarray:
    return (made.nearest(points) + 1).astype(np.int32)


def _without_small(made: Mixture, points: np.ndarray, smallest: int) -> Mixture:
    """Dissolve the smallest segment until all are large enough."""
    while len(made) > 1:
        sizes = np.bincount(made.nearest(points), minlength=len(made))
        if sizes.min() >= smallest:
            break
        made = made.take(np.delete(np.arange(len(made)), sizes.argmin()))
    return made


def _why_one(n_customers: int, varies: bool, max_segments: int, smallest: int) -> str:
    if not varies:
        return "All customers have the same embedding, so they are one segment."
    if max_segments == 1:
        return "One segment was asked for."
    return f"{n_customers:,} customers are too few for two segments of at least {smallest}, so they are one segment."


def _why(made: Segments, enough: float) -> str:
    n, strength = made.n_sought, made.strengths.get(made.n_sought)
    if strength is None:
        why = f"Customers are too few to try how strong a division into {n} is."
    elif strength >= enough:
        why = (
            f"{n} is the largest number of segments with a prediction strength of at least {enough:g} ({strength:.2f})."
        )
    else:
        tried = f"{min(made.strengths)} to {max(made.strengths)}"
        why = (
            f"No number of segments from {tried} has a prediction strength of {enough:g}: customers shade into each "
            f"other, and another sample would draw other borders. Shown is the strongest, {n} ({strength:.2f})."
        )
    joined = n - made.n_segments
    return why + (f" Of these, {joined} with fewer than {made.smallest} customers went to others." if joined else "")
