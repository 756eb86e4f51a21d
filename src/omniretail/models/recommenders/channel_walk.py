"""ChannelWalk: from a customer to those alike in any channel, and on to what they have."""

from typing import Self

import numpy as np
from scipy import sparse

from omniretail.views.histories import Histories
from omniretail.views.item_channels import item_channels
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

_SOME = 500  # customers from whom the weight of a channel is told


class ChannelWalk:
    """A walk of three steps over the graph of customers and items of all channels.

    With ``R_c = Du^-user_exponent X_c Di^-item_exponent`` for channel c (D: degrees within it) a customer r's likeness
    to others is ``sum_c w_c (r_c R_c')^likeness_exponent``, and an item's score the sum of ``R`` over those who have
    it, each weighed by that likeness. With the last exponent 1 and one channel it is the random walk of RP3beta
    (Christoffel et al., RecSys 2015). w is 1 for the target; ``other_weight`` of 1 gives another channel the target's
    whole weight, over all customers.

    Args:
        target: the channel that is recommended from; None: all channels count alike.
        other_weight: of the other channels.
        likeness_exponent: of a customer's likeness to others through a channel; below 1 many who are a little alike
            count more beside few who are very much so.
        user_exponent: how much less a step counts to and from customers with many items.
        item_exponent: how much less it counts through and to popular items.
    """

    def __init__(
        self,
        target: str | None = None,
        other_weight: float = 0.3,
        likeness_exponent: float = 0.7,
        user_exponent: float = 0.3,
        item_exponent: float = 0.15,
    ) -> None:
        self.target = target
        self.other_weight = other_weight
        self.likeness_exponent = likeness_exponent
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
        self.channels_ = np.unique(self.item_channel_)  # (C,)
        self.steps_ = self._steps(user_items)  # R: (U, I)
        self.channel_weights_ = self._weights(train)  # (C,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = self._steps(binary_user_items(users))
        alike = [weight * self._alike(own, c) for c, weight in zip(self.channels_, self.channel_weights_, strict=True)]
        return sparse.csr_array(sum(alike[1:], alike[0]) @ self.steps_).toarray()

    def _alike(self, own: sparse.csr_array, channel: int) -> sparse.csr_array:
        """Likeness of B users to those of training through one channel; shape (B, U)."""
        alike = sparse.csr_array(_only(own, self.item_channel_ == channel) @ self.steps_.T)
        np.power(alike.data, np.float32(self.likeness_exponent), out=alike.data)
        return alike

    def _steps(self, user_items: sparse.csr_array) -> sparse.csr_array:
        """The customers' steps to items; shape (B, I)."""
        row = np.repeat(np.arange(len(user_items.indptr) - 1), np.diff(user_items.indptr))
        block = row * (int(self.item_channel_.max(initial=0)) + 1) + self.item_channel_[user_items.indices]
        lengths = np.maximum(np.bincount(block)[block] if len(block) else block, 1).astype(np.float32)
        data = lengths**-self.user_exponent * self.item_weight_[user_items.indices]
        return sparse.csr_array((data, user_items.indices, user_items.indptr), shape=user_items.shape)

    def _weights(self, train: Train) -> np.ndarray:
        """What each channel's likeness counts: as much in all as its share of the target's; shape (C,)."""
        target = -1 if self.target is None else int(train.channels.encode([self.target])[0])
        some = np.random.default_rng(0).permutation(len(self.steps_.indptr) - 1)[:_SOME]
        total = np.array([self._alike(self.steps_[np.sort(some)], c).sum() for c in self.channels_])
        share = np.where((self.channels_ == target) | (self.target is None), 1.0, self.other_weight)
        whole = total[self.channels_ == target].sum() or total.max(initial=0.0)
        return (share * whole / np.where(total > 0, total, 1.0)).astype(np.float32)


def _only(matrix: sparse.csr_array, columns: np.ndarray) -> sparse.csr_array:
    """The matrix with nothing stored in other columns; shape as given."""
    kept = columns[matrix.indices]
    offsets = np.concatenate([[0], np.cumsum(kept)])[matrix.indptr]
    return sparse.csr_array((matrix.data[kept], matrix.indices[kept], offsets), shape=matrix.shape)
