"""What encoders of baskets share: baskets on the device, and customers in batches of them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from omniretail.core.checks import require
from omniretail.models.sequential import by_length, laid_out
from omniretail.nn.events import BasketEncoder
from omniretail.views.profile.basket_events import BasketEvents, EventCoding
from omniretail.views.sequences import Windows


class Baskets(nn.Module):
    """Baskets of many customers on the network's device; they are not saved with its weights.

    Args:
        events: of all customers.
    """

    line_offsets: Tensor
    line_codes: Tensor
    numbers: Tensor
    circumstances: Tensor

    def __init__(self, events: BasketEvents) -> None:
        super().__init__()
        for name in ("line_offsets", "line_codes", "numbers", "circumstances"):
            self.register_buffer(name, torch.from_numpy(getattr(events, name)), persistent=False)

    def forward(self, place: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The arguments of ``BasketEncoder`` for the baskets at some places, shape (N,)."""
        begin = self.line_offsets[place]
        length = self.line_offsets[place + 1] - begin
        starts = length.cumsum(0) - length
        line = torch.arange(int(length.sum()), device=place.device) + (begin - starts).repeat_interleave(length)
        return self.line_codes[line], starts, self.numbers[place], self.circumstances[place]


def vectors_of(windows: Windows, baskets: Baskets, encoder: nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    """Vectors of the baskets in some windows, each basket encoded once however often it occurs.

    Args:
        windows: B windows of consecutive baskets, none empty.
        baskets: that the windows refer to.
        encoder: see ``BasketEncoder``.

    Returns:
        Vectors (B, L, D), the places of the baskets and which of them are real, both (B, L).
    """
    place, real = laid_out(windows, baskets.line_offsets.device)
    distinct, which = torch.unique(place, return_inverse=True)
    return encoder(*baskets(distinct))[which], place, real


def basket_encoder(coding: EventCoding, dim: int, dropout: float) -> BasketEncoder:
    """The network for baskets of a coding."""
    return BasketEncoder(coding.n_codes, coding.sizes, 2 * len(coding.means), dim, dropout)


@torch.inference_mode()
def embedded(events: BasketEvents, max_len: int, dim: int, read: Callable[[Windows, Baskets], Tensor]) -> np.ndarray:
    """Each customer's vector, 0 for one without a history; float32, shape (U, D).

    Args:
        events: of the customers.
        max_len: baskets that are read, the latest.
        dim: D.
        read: computes the vectors of some windows.
    """
    vectors = np.zeros((len(events.offsets) - 1, dim), dtype=np.float32)
    baskets = Baskets(events)
    length = np.minimum(np.diff(events.offsets), max_len)
    for rows, windows in by_length(Windows(events.offsets[1:] - length, length)):
        vectors[rows] = read(windows, baskets).float().numpy()
    return vectors


def require_no_patience(model: Any) -> None:
    """Refuse an inner validation, which ranks items, for an encoder that does not.

    Raises:
        SettingsError: where there is one.
    """
    ranks_no_items = "have patience 0, since the model ranks no items to validate on: set trainer.patience=0"
    require(model, "training", not model.training.patience, ranks_no_items)


def random_slices(
    offsets: np.ndarray, owner: np.ndarray, min_len: int, max_len: int, rng: np.random.Generator
) -> Windows:
    """One slice of consecutive baskets of each owner, its length and then its place drawn at random.

    Args:
        offsets: customer u owns the baskets ``offsets[u]:offsets[u + 1]``; shape (U + 1,).
        owner: customers with at least one basket, possibly several times; shape (W,).
        min_len: baskets in a slice, at least, where the customer has them.
        max_len: at most.
        rng: draws.
    """
    n = offsets[owner + 1] - offsets[owner]
    length = rng.integers(np.minimum(min_len, n), np.minimum(max_len, n) + 1)
    return Windows(offsets[owner] + rng.integers(0, n - length + 1), length)
