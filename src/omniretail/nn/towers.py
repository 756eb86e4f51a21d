"""Two towers, one for items and one for users, whose unit vectors are compared by their scalar product."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)


class ItemTower(nn.Module):
    """An item's vector from its id and its attributes.

    In training some ids are dropped at random, so that attributes alone learn to represent a new item.

    Args:
        n_items: I.
        n_values: F, attribute values.
        dim: D.
        id_dropout: share of items whose id is dropped.
    """

    def __init__(self, n_items: int, n_values: int, dim: int, id_dropout: float) -> None:
        super().__init__()
        self.ids = nn.Embedding(n_items, dim)
        self.attributes = nn.EmbeddingBag(max(1, n_values), dim, mode="mean")
        self.net = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.id_dropout = id_dropout
        for table in (self.ids, self.attributes):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, items: Tensor | None, values: Tensor, starts: Tensor, has_id: Tensor | None = None) -> Tensor:
        """Vectors of N items.

        Args:
            items: their indices, None for items outside the catalogue; int64, shape (N,).
            values: attribute values of all of them, item after item; int64.
            starts: where each item's values begin; shape (N,).
            has_id: False for items of the catalogue whose id says nothing; None: all say something; shape (N,).

        Returns:
            Shape (N, D).
        """
        vectors = self.attributes(values, starts)
        if items is not None:
            ids = self.ids(items)
            if has_id is not None:
                ids = ids * has_id[:, None]
            if self.training:
                ids = ids * (torch.rand(len(items), 1, device=ids.device) >= self.id_dropout)
            vectors = vectors + ids
        return vectors + self.net(vectors)


class UserTower(nn.Module):
    """A user's vector from the items of the history, weighted by age, from attributes and from a profile.

    Args:
        n_values: G, attribute values.
        dim: D.
        max_len: events that are read.
        profile_dim: P; 0: there are no profiles.
    """

    def __init__(self, n_values: int, dim: int, max_len: int, profile_dim: int = 0) -> None:
        super().__init__()
        self.age = nn.Parameter(-0.1 * torch.arange(max_len, dtype=torch.float32))
        self.attributes = nn.EmbeddingBag(max(1, n_values), dim, mode="mean")
        self.net = nn.Sequential(nn.Linear(2 * dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        nn.init.normal_(self.attributes.weight, std=0.1)
        if profile_dim:
            self.profile = nn.Linear(profile_dim, dim, bias=False)
            nn.init.normal_(self.profile.weight, std=0.1 * profile_dim**-0.5)  # of the scale of one attribute value

    def forward(self, items: Tensor, values: Tensor, starts: Tensor, profiles: Tensor | None = None) -> Tensor:
        """Vectors after each event: the weighted mean of the items so far, attributes and profile.

        Args:
            items: vectors of the history's items; shape (B, L, D).
            values: attribute values of all B users, user after user.
            starts: where each user's values begin; shape (B,).
            profiles: standardised, zero where there is none; shape (B, L, P) or (B, 1, P).

        Returns:
            Shape (B, L, D).
        """
        place = torch.arange(items.shape[1], device=items.device)
        age = place[:, None] - place  # (L, L)
        weight = self.age[age.clamp_min(0)].masked_fill(age < 0, -torch.inf).softmax(dim=1)
        mean = weight.to(items.dtype) @ items
        features = self.attributes(values, starts)[:, None].expand_as(mean)
        if profiles is not None:
            features = features + self.profile(profiles)
        return mean + self.net(torch.cat([mean, features], dim=-1))


def unit(vectors: Tensor) -> Tensor:
    """Scaled to length one along the last axis."""
    return F.normalize(vectors, dim=-1)
