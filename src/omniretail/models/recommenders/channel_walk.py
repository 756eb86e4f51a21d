"""ChannelWalk: from a customer to similar customers in any channel, and on to their items."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import at_least
from omniretail.views.histories import Histories
from omniretail.views.item_channels import channel_code, item_channels
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train

_N_SAMPLED = 500  # customers from whom the channels' weights are estimated


@dataclass(eq=False)
class ChannelWalk:
    """A walk of three steps over the graph of customers and items of all channels.

    With ``R_c = Du^-user_exponent X_c Di^-item_exponent`` for channel c (D: degrees within it) the similarity of a
    customer r to others is ``sum_c w_c (r_c R_c')^similarity_exponent``, and an item's score is the sum of ``R`` over
    the customers who have it, weighted by their similarity. With a similarity exponent of 1 and one channel it is the
    random walk of RP3beta (Christoffel et al., RecSys 2015). w is 1 for the target channel; a ``source_weight`` of 1
    gives another channel the same total weight as the target's, summed over all customers.

    Args:
        target_channel: the channel whose items are recommended; None: all channels count alike.
        source_weight: of every other channel.
        similarity_exponent: of a customer's similarity to others through a channel; below 1, many customers who are a
            little similar count more against few who are very similar.
        user_exponent: how much less a step counts to and from customers with many items.
        item_exponent: how much less it counts through and to popular items; below 0, more.
    """

    target_channel: str | None = None
    source_weight: float = 0.3
    similarity_exponent: float = 0.7
    user_exponent: float = 0.3
    item_exponent: float = 0.15

    def __post_init__(self) -> None:
        at_least(self, "source_weight", "similarity_exponent")

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
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
        weighted = zip(self.channels_, self.channel_weights_, strict=True)
        first, *others = [weight * self._similarity(own, channel) for channel, weight in weighted]
        return sparse.csr_array(sum(others, first) @ self.steps_).toarray()

    def _similarity(self, own: sparse.csr_array, channel: int) -> sparse.csr_array:
        """Of B users to the training users through one channel; shape (B, U)."""
        similarity = sparse.csr_array(_restricted(own, self.item_channel_ == channel) @ self.steps_.T)
        np.power(similarity.data, np.float32(self.similarity_exponent), out=similarity.data)
        return similarity

    def _steps(self, user_items: sparse.csr_array) -> sparse.csr_array:
        """The customers' steps to items; shape (B, I)."""
        row = np.repeat(np.arange(len(user_items.indptr) - 1), np.diff(user_items.indptr))
        block = row * (int(self.item_channel_.max(initial=0)) + 1) + self.item_channel_[user_items.indices]
        lengths = np.maximum(np.bincount(block)[block] if len(block) else block, 1).astype(np.float32)
        data = lengths**-self.user_exponent * self.item_weight_[user_items.indices]
        return sparse.csr_array((data, user_items.indices, user_items.indptr), shape=user_items.shape)

    def _weights(self, train: Train) -> np.ndarray:
        """Of each channel's similarity, so that its total is the channel's share of the target's; shape (C,)."""
        target = -1 if self.target_channel is None else channel_code(train, self.target_channel)
        sample = np.random.default_rng(0).permutation(len(self.steps_.indptr) - 1)[:_N_SAMPLED]
        total = np.array([self._similarity(self.steps_[np.sort(sample)], c).sum() for c in self.channels_])
        share = np.where((self.channels_ == target) | (self.target_channel is None), 1.0, self.source_weight)
        whole = total[self.channels_ == target].sum() or total.max(initial=0.0)
        return (share * whole / np.where(total > 0, total, 1.0)).astype(np.float32)


def _restricted(matrix: sparse.csr_array, columns: np.ndarray) -> sparse.csr_array:
    """The matrix with the entries of other columns removed; same shape."""
    inside = columns[matrix.indices]
    offsets = np.concatenate([[0], np.cumsum(inside)])[matrix.indptr]
    return sparse.csr_array((matrix.data[inside], matrix.indices[inside], offsets), shape=matrix.shape)
