"""Segments made at one cutoff, with the same customers assigned anew at a later one."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from omniretail.core.errors import SettingsError
from omniretail.profile.segments.clustering import Segments, assign, fit_segments
from omniretail.profile.segments.drift import domain_auc, drift
from omniretail.profile.segments.stability import TimeStability, seed_stability, time_stability

_RESAMPLES = 100


@dataclass(frozen=True)
class EmbeddedCustomers:
    """Customers at a cutoff.

    Attributes:
        ids: raw, each once; shape (N,).
        embeddings: shape (N, D).
        table: readable features, in the same order; shape (N, F).
    """

    ids: np.ndarray
    embeddings: np.ndarray
    table: pd.DataFrame


@dataclass(frozen=True)
class CustomerSegments:
    """Segments, and what becomes of them.

    Attributes:
        segments: made at the earlier cutoff, of its N customers.
        ids: the M customers of the later cutoff, raw; shape (M,).
        earlier: their segment at the earlier cutoff, 0 for new customers; shape (M,).
        later: their segment at the later one; shape (M,).
        over_seeds: see ``seed_stability``.
        over_time: see ``time_stability``.
        drift: see ``drift``; of the table between the two cutoffs.
        auc: see ``domain_auc``; of the embeddings.
    """

    segments: Segments
    ids: np.ndarray
    earlier: np.ndarray
    later: np.ndarray
    over_seeds: float
    over_time: TimeStability
    drift: pd.DataFrame
    auc: float

    @property
    def stayed(self) -> np.ndarray:
        """Share of each segment's customers who are still in it; shape (K,)."""
        same = self.earlier[self.earlier == self.later]
        return np.bincount(same, minlength=self.segments.n_segments + 1)[1:] / self.segments.sizes

    @property
    def sizes_later(self) -> np.ndarray:
        """Customers in each segment at the later cutoff; shape (K,)."""
        return np.bincount(self.later, minlength=self.segments.n_segments + 1)[1:]

    def table(self) -> pd.DataFrame:
        """``user_id, segment_before, segment``: a row per customer; the first is missing for new customers."""
        before = pd.Series(self.earlier, dtype="Int32")
        return pd.DataFrame({"user_id": self.ids, "segment_before": before.mask(before == 0), "segment": self.later})

    def per_customer(self) -> pd.DataFrame:
        """``stayed``: 1 for customers in the same segment at both cutoffs, NaN for new ones; indexed by user_id."""
        stayed = np.where(self.earlier > 0, (self.earlier == self.later).astype(float), np.nan)
        return pd.DataFrame({"stayed": stayed}, index=pd.Index(self.ids, name="user_id"))

    def metrics(self, recent: Collection[str] = ()) -> dict[str, float]:
        """Metrics by name.

        Args:
            recent: features over a fixed number of days. The others (totals, tenure) grow by themselves, so the
                largest population stability index of these is given as well.
        """
        psi = self.drift.set_index("feature").psi
        fixed = psi[psi.index.isin(list(recent))]
        return {
            "ari_time": self.over_time.assigned,
            "ari_time_refitted": self.over_time.refitted,
            "ari_seeds": self.over_seeds,
            "stayed": float(self.per_customer().stayed.mean()),
            "n_segments": self.segments.n_segments,
            "domain_auc": self.auc,
            "psi_max": float(psi.max()),
            **({"psi_max_recent": float(fixed.max())} if len(fixed) else {}),
        }

    def resampled(self) -> pd.DataFrame:
        """``ari_time`` on customers drawn with replacement, the same draws for every encoder; 100 rows."""
        both = self.earlier > 0
        earlier, later = self.earlier[both], self.later[both]
        rng = np.random.default_rng(0)
        draws = (rng.integers(len(earlier), size=len(earlier)) for _ in range(_RESAMPLES))
        return pd.DataFrame({"ari_time": [float(adjusted_rand_score(earlier[d], later[d])) for d in draws]})


def segment_customers(
    earlier: EmbeddedCustomers,
    later: EmbeddedCustomers,
    n_segments: int | None = None,
    min_customers: int = 20,
    seed: int = 0,
) -> CustomerSegments:
    """Make segments of customers, assign them anew at a later cutoff, and measure what moved.

    Args:
        earlier: the customers that segments are made of.
        later: the customers of the later cutoff, among them all of the earlier one.
        n_segments: how many; None: the largest number from 2 to 12 that another sample reproduces.
        min_customers: of each segment.
        seed: of the segments.

    Raises:
        SettingsError: where embeddings are not finite, a customer is missing at the later cutoff, or ``n_segments`` or
            ``min_customers`` is below 1.
    """
    places = pd.Index(later.ids).get_indexer(earlier.ids)
    if (places < 0).any():
        raise ValueError(f"{(places < 0).sum():,} customers of the earlier cutoff are missing at the later one")
    segments = _segments(earlier.embeddings, n_segments, min_customers, seed)
    before = np.zeros(len(later.ids), dtype=np.int32)
    before[places] = segments.labels
    return CustomerSegments(
        segments=segments,
        ids=later.ids,
        earlier=before,
        later=assign(segments, later.embeddings),
        over_seeds=seed_stability(segments, earlier.embeddings),
        over_time=time_stability(segments, later.embeddings[places], seed),
        drift=drift(earlier.table, later.table),
        auc=domain_auc(earlier.embeddings, later.embeddings, earlier.ids, later.ids, seed=seed),
    )


def _segments(embeddings: np.ndarray, n: int | None, min_customers: int, seed: int) -> Segments:
    if n is None:
        return fit_segments(embeddings, min_customers=min_customers, seed=seed)
    if n < 1:
        raise SettingsError(f"n_segments takes a whole number from 1, not {n}")
    segments = fit_segments(embeddings, n, n, min_customers=min_customers, seed=seed)
    if segments.n_fitted == 1:
        return segments  # its note says why
    notes = [f"The number of segments is set to {n}"]
    if segments.n_segments < n:
        notes.append(f"{segments.n_segments} of them have {min_customers} customers or more")
    if segments.strengths:
        strength = segments.strengths[segments.n_fitted]
        notes.append(f"the prediction strength of {segments.n_fitted} is {strength:.2f}, where 0.8 is enough")
    return replace(segments, note="; ".join(notes) + ".")
