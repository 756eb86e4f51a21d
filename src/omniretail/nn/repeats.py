"""A bonus for items that a customer bought before, by how often, how long ago, and how often the item is rebought."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

_AGES = 12


class OwnItems(nn.Module):
    """A bonus for items of the user's history: ``s_i * log(1 + sum of w(age))`` over the events of item i.

    The weight of an age (0, 1-2, 3-6, 7-14, … baskets ago) is learned, and so is the strength of each item; an item
    outside the history gets no bonus. With all weights and strengths equal to one this ranks a customer's own items as
    PersonalTop does.

    Args:
        n_items: I.
    """

    def __init__(self, n_items: int) -> None:
        super().__init__()
        self.age = nn.Parameter(torch.zeros(_AGES))
        self.strength = nn.Parameter(torch.ones(1))
        self.item_strength = nn.Parameter(torch.zeros(n_items))

    def weights(self, baskets_ago: Tensor) -> Tensor:
        """Of events by their age in baskets; any shape, 0 where the age is negative (not yet seen)."""
        bucket = (baskets_ago.clamp_min(0) + 1).log2().long().clamp_max(_AGES - 1)
        return F.softplus(self.age)[bucket] * (baskets_ago >= 0)

    def bonus(self, total: Tensor, items: Tensor) -> Tensor:
        """Of items by the total weight of their events; both arguments of one shape."""
        return F.relu(self.strength + self.item_strength[items]) * total.log1p()

    def add_to(self, scores: Tensor, items: Tensor, baskets_ago: Tensor) -> Tensor:
        """Scores of the catalogue with the bonus.

        Args:
            scores: shape (B, I).
            items: of the history, any item where ``baskets_ago`` is negative; int64, shape (B, L).
            baskets_ago: shape (B, L).
        """
        total = torch.zeros_like(scores).scatter_add_(1, items, self.weights(baskets_ago).to(scores.dtype))
        every = torch.arange(scores.shape[1], device=scores.device)
        return scores + self.bonus(total, every)

    def candidates(self, items: Tensor, baskets_ago: Tensor) -> tuple[Tensor, Tensor]:
        """Each state's own items, once each, as further candidates.

        Args:
            items: of B sequences; int64, shape (B, L).
            baskets_ago: age of each event at each of S states; negative where not yet seen; shape (B, S, L).

        Returns:
            The bonus of the item at each place, and whether that place represents its item (it is the item's last
            event seen so far); both (B, S, L).
        """
        same = items[:, :, None] == items[:, None, :]  # (B, L, L)
        weights = self.weights(baskets_ago)
        total = weights @ same.to(weights.dtype)
        length = items.shape[1]
        place = torch.arange(length, device=items.device)
        later = torch.where(same & (place > place[:, None]), place, length).amin(2)  # (B, L), the item's next event
        seen = baskets_ago >= 0
        n_seen = seen.sum(2, keepdim=True)  # the events seen are the first ones
        return self.bonus(total, items[:, None, :].expand_as(total)), seen & (later[:, None, :] >= n_seen)
