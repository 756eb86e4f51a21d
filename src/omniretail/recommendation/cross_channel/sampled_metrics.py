"""The sampled protocol of papers: the held-out items among so many others drawn at random. For comparison only."""

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.models.top_k import Policy
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories


class SampledNegatives:
    """A policy that passes on what another one allows, and keeps the sampled lists beside it.

    For each judged user the held-out items are ranked among ``n`` negatives, drawn without replacement from all else
    that the policy lets the user see; where there are fewer, all of them count. The draw depends on the seed and the
    user alone, so every model ranks the same items. Figures are far higher than under full ranking and can order models
    otherwise (Krichene and Rendle, "On sampled metrics for item recommendation", KDD 2020).

    Args:
        fold: whose judged users are known to training.
        policy: what may be shown, ready for use.
        k: length of the lists kept.
        n: negatives.
        seed: of the draw.

    Raises:
        SettingsError: where a judged user was not in training.
    """

    def __init__(self, fold: Fold, policy: Policy, k: int, n: int = 999, seed: int = 0) -> None:
        if (fold.users.user_idx < 0).any():
            raise SettingsError("sampled negatives need judged users who are known to training; rank all items instead")
        self.policy, self.k, self.n, self.seed = policy, k, n, seed
        self._row = np.full(len(fold.train.users), -1)
        self._row[fold.users.user_idx] = np.arange(len(fold.users))
        self._held_out = fold.held_out
        self._lists: list[np.ndarray] = []

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Policy``."""
        allowed = self.policy(scores, users)
        for row, user in enumerate(users.user_idx):
            ranked = self.candidates(allowed[row] > -np.inf, int(user))
            best = np.argsort(-allowed[row, ranked], kind="stable")[: self.k]  # ties by index, as everywhere
            chosen = np.where(allowed[row, ranked[best]] > -np.inf, ranked[best], -1)
            self._lists.append(np.pad(chosen, (0, self.k - len(chosen)), constant_values=-1))
        return allowed

    def lists(self) -> np.ndarray:
        """The sampled lists of all users scored so far, in that order: item indices, best first; shape (U, k)."""
        return np.array(self._lists, dtype=np.int32).reshape(-1, self.k)

    def candidates(self, allowed: np.ndarray, user: int) -> np.ndarray:
        """The items ranked for a training user: those held out and the negatives, ascending.

        Args:
            allowed: True where the policy lets the user see the item; shape (I,).
            user: index among the training users.
        """
        row = self._row[user]
        held_out = self._held_out.indices[self._held_out.indptr[row] : self._held_out.indptr[row + 1]]
        allowed[held_out] = False
        others = np.flatnonzero(allowed)
        rng = np.random.default_rng([self.seed, user])
        drawn = rng.choice(others, min(self.n, len(others)), replace=False, shuffle=False)
        return np.sort(np.concatenate([held_out, drawn]))
