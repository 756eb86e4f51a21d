"""What a policy changes: the lists before and after it, how much of them is feasible, and what the rules cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from omniretail.metrics.constraint_cost import feasible_share_at_k, score_regret_at_k
from omniretail.metrics.names import key
from omniretail.models.top_k import top_k
from omniretail.views.histories import Histories


@dataclass(frozen=True)
class _Batch:
    """Lists of one batch before and after the rules; places are (B, k), the rest (B,)."""

    before: np.ndarray
    score_before: np.ndarray
    score_after: np.ndarray
    feasible_before: np.ndarray
    feasible_after: np.ndarray
    average: np.ndarray
    fell_back: np.ndarray
    unknown: np.ndarray


class ConstraintEffect:
    """Decides as the policy does and keeps what it changed, batch after batch.

    Args:
        policy: fitted, with ``decide`` (see ``policies.chain.Chain``).
        k: length of the lists, in items.
    """

    def __init__(self, policy: Any, k: int) -> None:
        self.policy = policy
        self.k = k
        self._batches: list[_Batch] = []

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``models.top_k.Policy``."""
        made = self.policy.decide(scores, users)
        before, score_before = top_k(made.free, self.k)
        after, _ = top_k(made.shown, self.k)
        able = made.free > -np.inf
        self._batches.append(
            _Batch(
                before=before,
                score_before=np.where(before >= 0, score_before, np.nan),
                score_after=np.where(after >= 0, _at(made.free, after), np.nan),
                feasible_before=_at(made.feasible, before) & (before >= 0),
                feasible_after=_at(made.feasible, after) & (after >= 0),
                average=made.free.mean(axis=1, where=able),
                fell_back=made.fell_back,
                unknown=made.unknown,
            )
        )
        return made.shown

    def unconstrained(self) -> np.ndarray:
        """The lists as they would have been; -1 in unused places; shape (U, k)."""
        return self._all("before")

    def per_user(self, ks: Sequence[int], shown: pd.DataFrame, free: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Feasible shares and regret for each user.

        Args:
            ks: list lengths.
            shown: figures of the lists shown, from ``evaluate_lists``.
            free: those of the unconstrained lists.
            metric: whose loss is the regret, e.g. ``ndcg``.

        Returns:
            ``feasible_share_before_at_k``, ``feasible_share_at_k``, ``unconstrained_<metric>_at_k``, ``regret_at_k``
            (the metric lost) and ``score_regret_at_k``, indexed like ``shown``.
        """
        columns = {}
        for k in ks:
            columns[key("feasible_share_before", k)] = feasible_share_at_k(self._all("feasible_before"), k)
            columns[key("feasible_share", k)] = feasible_share_at_k(self._all("feasible_after"), k)
            columns[key(f"unconstrained_{metric}", k)] = free[key(metric, k)].to_numpy()
            columns[key("regret", k)] = (free[key(metric, k)] - shown[key(metric, k)]).to_numpy()
            scores = (self._all("score_before"), self._all("score_after"), self._all("average"))
            columns[key("score_regret", k)] = score_regret_at_k(*scores, k)
        return pd.DataFrame(columns, index=shown.index)

    def counts(self) -> dict[str, float]:
        """How often the rules left nothing, and how often they do not know the customer."""
        return {
            "users_fallen_back": int(self._all("fell_back").sum()),
            "users_unknown_to_policy": int(self._all("unknown").sum()),
        }

    def _all(self, name: str) -> np.ndarray:
        return np.concatenate([getattr(batch, name) for batch in self._batches])


def _at(values: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """The value of each place; anything where the place is empty; shape (B, k)."""
    return np.take_along_axis(values, np.maximum(columns, 0), axis=1)
