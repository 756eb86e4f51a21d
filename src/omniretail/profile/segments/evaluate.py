"""Segments made at one moment and looked at again at a later one."""

from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from omniretail.profile.segments.clustering import Segments, assign, fit_segments
from omniretail.profile.segments.drift import domain_auc, drift
from omniretail.profile.segments.stability import TimeStability, seed_stability, time_stability


@dataclass(frozen=True)
class Snapshot:
    """Customers at one moment.

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
    """Segments, and what became of them.

    Attributes:
        segments: made at the first moment, of its N customers.
        ids: the M customers of the second moment, raw; shape (M,).
        before: their segment at the first moment, 0 for those who were not there yet; shape (M,).
        now: their segment at the second; shape (M,).
        over_seeds: see ``seed_stability``.
        over_time: see ``time_stability``.
        drifted: see ``drift``; of the table between the two moments.
        auc: see ``domain_auc``; of the embeddings.
    """

    segments: Segments
    ids: np.ndarray
    before: np.ndarray
    now: np.ndarray
    over_seeds: float
    over_time: TimeStability
    drifted: pd.DataFrame
    auc: float

    @property
    def kept(self) -> np.ndarray:
        """Of each segment's customers the share who are still in it; shape (K,)."""
        stayed = np.bincount(self.before[self.before == self.now], minlength=self.segments.n_segments + 1)[1:]
        return stayed / self.segments.sizes

    @property
    def sizes_now(self) -> np.ndarray:
        """Customers in each segment at the second moment; shape (K,)."""
        return np.bincount(self.now, minlength=self.segments.n_segments + 1)[1:]

    def customers(self) -> pd.DataFrame:
        """``user_id, segment_before, segment``: a row per customer; the first is missing for those who are new."""
        before = pd.Series(self.before, dtype="Int32")
        return pd.DataFrame({"user_id": self.ids, "segment_before": before.mask(before == 0), "segment": self.now})

    def metrics(self, recent: Collection[str] = ()) -> dict[str, float]:
        """Figures by name.

        Args:
            recent: features over a fixed time; the others (totals, tenure) grow by themselves, so that the largest
                population stability index is told of these as well.
        """
        psi = self.drifted.set_index("feature").psi
        fixed = psi[psi.index.isin(list(recent))]
        return {
            "n_segments": self.segments.n_segments,
            "ari_seeds": self.over_seeds,
            "ari_time": self.over_time.assigned,
            "ari_time_refitted": self.over_time.refitted,
            "domain_auc": self.auc,
            "psi_max": float(psi.max()),
            **({"psi_max_recent": float(fixed.max())} if len(fixed) else {}),
        }


def segment_customers(
    first: Snapshot, second: Snapshot, n_segments: int | None = None, min_customers: int = 20, seed: int = 0
) -> CustomerSegments:
    """Make segments of customers, assign them anew at a later moment, and say what moved.

    Args:
        first: the moment at which segments are made.
        second: the later one; whoever was there at the first must be there too.
        n_segments: how many; None: the largest number from 2 to 12 that another sample would show again.
        min_customers: that a segment must have.
        seed: of the segments.

    Raises:
        ValueError: where embeddings are not finite, somebody is missing at the second moment, or ``n_segments`` or
            ``min_customers`` is below 1.
    """
    places = pd.Index(second.ids).get_indexer(first.ids)
    if (places < 0).any():
        raise ValueError(f"{(places < 0).sum():,} customers of the first moment are missing at the second")
    made = _made(first.embeddings, n_segments, min_customers, seed)
    before = np.zeros(len(second.ids), dtype=np.int32)
    before[places] = made.labels
    return CustomerSegments(
        segments=made,
        ids=second.ids,
        before=before,
        now=assign(made, second.embeddings),
        over_seeds=seed_stability(made, first.embeddings),
        over_time=time_stability(made, second.embeddings[places], seed),
        drifted=drift(first.table, second.table),
        auc=domain_auc(first.embeddings, second.embeddings, first.ids, second.ids, seed=seed),
    )


def _made(embeddings: np.ndarray, n: int | None, min_customers: int, seed: int) -> Segments:
    if n is None:
        return fit_segments(embeddings, smallest=min_customers, seed=seed)
    if n < 1:
        raise ValueError(f"n_segments takes a whole number from 1, not {n}")
    made = fit_segments(embeddings, n, n, smallest=min_customers, seed=seed)
    if made.n_sought == 1:
        return made  # which says why
    words = [f"{n} segments were asked for"]
    if made.n_segments < n:
        words.append(f"{made.n_segments} of them have {min_customers} customers or more")
    if made.strengths:
        strength = made.strengths[made.n_sought]
        words.append(f"the prediction strength of {made.n_sought} is {strength:.2f}, where 0.8 is enough")
    return replace(made, note="; ".join(words) + ".")
