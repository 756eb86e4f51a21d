"""ChannelWalk: from a customer to those alike in any channel, and on to what they have."""

from typing import Self

import numpy as np
from scipy import sparse

from omniretail.views.fold import Train
from omniretail.views.histories import Histories
from omniretail.views.item_channels import item_channels
from omniretail.views.matrix import binary_user_items


class ChannelWalk:
    """A walk of three steps over the graph of customers and items of all channels.

    With ``R_c = Du^-user_exponent X_c Di^-item_exponent`` for channel c (D: degrees within it) a customer's likeness to
    others is ``sum_c w_c r_c R_c'``, and an item's score the likeness of those who have it. It is the random walk of
    RP3beta (Christoffel et al., RecSys 2015) with the steps through another channel weighed apart: w is 1 for the
    target and ``other_weight`` for any other, where 1 would give it the target's whole weight over all customers.

    Args:
        target: the channel that is recommended from; None: all channels count alike.
        other_weight: of the other channels.
        user_exponent: how much less a step counts to and from customers with many items.
        item_exponent: how much less it counts through and to popular items.
    """

    def __init__(
        self,
        target: str | None = None,
        other_weight: float = 0.3,
        user_exponent: float = 0.3,
        item_exponent: float = 0.15,
    ) -> None:
        self.target = target
        self.other_weight = other_weight
        self.user_exponent = user_exponent
        self.item_exponent = item_exponent

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            ValueError: where ``other_weight`` is negative.
        """
        if self.other_weight < 0:
            raise ValueError(f"other_weight={self.other_weight} must be 0 or more")
        user_items = binary_user_items(train.histories)
        self.item_channel_ = item_channels(train)  # (I,)
        degree = np.bincount(user_items.indices, minlength=train.histories.n_items)
        self.item_weight_ = np.maximum(degree, 1).astype(np.float32) ** -self.item_exponent  # (I,)
        if self.target is not None:
            known = int(train.channels.encode([self.target])[0])
            self.item_weight_ *= self._channel_weights(self._walked(user_items), known)[self.item_channel_]
        self.steps_ = self._walked(user_items)  # R, with each channel's weight in it: (U, I)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        alike = self._walked(binary_user_items(users)) @ self.steps_.T  # (B, U)
        return sparse.csr_array(alike @ self.steps_).toarray()

    def _walked(self, user_items: sparse.csr_array) -> sparse.csr_array:
        """The customers' steps to items; shape (B, I)."""
        row = np.repeat(np.arange(user_items.shape[0]), np.diff(user_items.indptr))
        block = row * (int(self.item_channel_.max(initial=0)) + 1) + self.item_channel_[user_items.indices]
        lengths = np.bincount(block)[block].astype(np.float32) if len(block) else np.zeros(0, dtype=np.float32)
        data = lengths**-self.user_exponent * self.item_weight_[user_items.indices]
        return sparse.csr_array((data, user_items.indices, user_items.indptr), shape=user_items.shape)

    def _channel_weights(self, steps: sparse.csr_array, target: int) -> np.ndarray:
        """What an item weighs by its channel, so that all likeness through a channel adds up to its share; (C,)."""
        through = np.asarray(steps.sum(axis=0)) ** 2
        total = np.bincount(self.item_channel_, weights=through)
        share = np.where(np.arange(len(total)) == target, 1.0, self.other_weight)
        whole = total[target] if 0 <= target < len(total) and total[target] else 1.0
        return np.sqrt(share * whole / np.where(total > 0, total, 1.0)).astype(np.float32)
