"""The sampled protocol of papers: the held-out items among so many others drawn at random. For comparison only."""

import numpy as np

from omniretail.policies.protocol import Rule
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories


class SampledNegatives:
    """Rank only the held-out items and ``n`` negatives of each judged user; everything else is taken out.

    Negatives are drawn without replacement from what the policy lets a user see, held-out items aside; where there are
    fewer, all of them count. The draw depends on the seed and the user alone, so every model ranks the same. Figures
    under this protocol are far higher than under full ranking and can order models otherwise (Krichene and Rendle,
    "On sampled metrics for item recommendation", KDD 2020).

    Args:
        fold: whose judged users are known to training.
        policy: what may be shown, ready for use.
        n: negatives.
        seed: of the draw.

    Raises:
        ValueError: where a judged user was not in training.
    """

    def __init__(self, fold: Fold, policy: Rule, n: int = 999, seed: int = 0) -> None:
        if (fold.users.user_idx < 0).any():
            raise ValueError("sampled negatives need judged users who are known to training; rank all items instead")
        self.policy, self.n, self.seed = policy, n, seed
        self._row = np.full(len(fold.train.users), -1)
        self._row[fold.users.user_idx] = np.arange(len(fold.users))
        self._held_out = fold.held_out

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        allowed = self.policy(scores, users)
        for row, user in enumerate(users.user_idx):
            left = np.full(allowed.shape[1], -np.inf, dtype=allowed.dtype)
            ranked = self.candidates(allowed[row] > -np.inf, int(user))
            left[ranked] = allowed[row, ranked]
            allowed[row] = left
        return allowed

    def candidates(self, allowed: np.ndarray, user: int) -> np.ndarray:
        """The items ranked for a training user: those held out, then the negatives.

        Args:
            allowed: True where the policy lets the user see the item; shape (I,).
            user: index among the training users.
        """
        ends = self._held_out.indptr[self._row[user] :][:2]
        held_out = self._held_out.indices[ends[0] : ends[1]]
        pool = allowed.copy()
        pool[held_out] = False
        others = np.flatnonzero(pool)
        rng = np.random.default_rng([self.seed, user])
        return np.concatenate([held_out, rng.choice(others, min(self.n, len(others)), replace=False, shuffle=False)])
