"""Two towers: one for items, one for users, that meet in a scalar product of unit vectors."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)


class ItemTower(nn.Module):
    """An item from its number and from the words said of it.

    In training the number is left out now and then, so that words alone learn to carry an item that is new.

    Args:
        n_items: I.
        n_words: F.
        dim: D.
        id_dropout: share of items whose number is left out.
    """

    def __init__(self, n_items: int, n_words: int, dim: int, id_dropout: float) -> None:
        super().__init__()
        self.number = nn.Embedding(n_items, dim)
        self.words = nn.EmbeddingBag(max(1, n_words), dim, mode="mean")
        self.net = nn.Sequential(nn.Linear(dim, dim), nn.ReLU(), nn.Linear(dim, dim))
        self.id_dropout = id_dropout
        for table in (self.number, self.words):
            nn.init.normal_(table.weight, std=0.1)

    def forward(self, items: Tensor | None, words: Tensor, starts: Tensor) -> Tensor:
        """Vectors of N items.

        Args:
            items: their numbers, None for items that are not in the catalogue; int64, shape (N,).
            words: of all of them, one after another; int64.
            starts: where each one's words begin; shape (N,).

        Returns:
            Shape (N, D).
        """
        said = self.words(words, starts)
        if items is None:
            return said + self.net(said)
        known = self.number(items)
        if self.training:
            known = known * (torch.rand(len(items), 1, device=known.device) >= self.id_dropout)
        both = said + known
        return both + self.net(both)


class UserTower(nn.Module):
    """A user from the items they took, the later the more, from the words said of them and from their profile.

    Args:
        n_words: F.
        dim: D.
        max_len: events that are read.
        profile_dim: P; 0: there are no profiles.
    """

    def __init__(self, n_words: int, dim: int, max_len: int, profile_dim: int = 0) -> None:
        super().__init__()
        self.age = nn.Parameter(-0.1 * torch.arange(max_len, dtype=torch.float32))
        self.words = nn.EmbeddingBag(max(1, n_words), dim, mode="mean")
        self.net = nn.Sequential(nn.Linear(2 * dim, 2 * dim), nn.ReLU(), nn.Linear(2 * dim, dim))
        nn.init.normal_(self.words.weight, std=0.1)
        if profile_dim:
            self.profile = nn.Linear(profile_dim, dim, bias=False)
            nn.init.normal_(self.profile.weight, std=0.1 * profile_dim**-0.5)  # as loud as a word

    def forward(self, taken: Tensor, words: Tensor, starts: Tensor, profiles: Tensor | None = None) -> Tensor:
        """Vectors after each event: the mean of what was taken, weighed by age, and what is known beside.

        Args:
            taken: vectors of items; shape (B, L, D).
            words: of all B users, one after another.
            starts: where each one's words begin; shape (B,).
            profiles: standardised, nought where not known; shape (B, L, P) or (B, 1, P).

        Returns:
            Shape (B, L, D).
        """
        place = torch.arange(taken.shape[1], device=taken.device)
        ago = place[:, None] - place  # (L, L)
        weight = self.age[ago.clamp_min(0)].masked_fill(ago < 0, -torch.inf).softmax(dim=1)
        mean = weight.to(taken.dtype) @ taken
        said = self.words(words, starts)[:, None].expand_as(mean)
        if profiles is not None:
            said = said + self.profile(profiles)
        return mean + self.net(torch.cat([mean, said], dim=-1))


def unit(vectors: Tensor) -> Tensor:
    """Of length one along the last axis."""
    return F.normalize(vectors, dim=-1)
