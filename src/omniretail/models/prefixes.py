"""The training and scoring of networks that learn from one sample a prefix: what comes after the events so far?"""

import logging
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.models.sequential import by_length, laid_out
from omniretail.nn.packed import Packed
from omniretail.nn.softmax import full_softmax
from omniretail.views.histories import Histories
from omniretail.views.sequences import Prefixes, Windows, latest_windows, training_prefixes

log = logging.getLogger(__name__)


class PrefixNetwork(nn.Module):
    """Predict each event of a basket from the events up to the basket before, by a softmax over the whole catalogue.

    Every prefix is a sample of its own, in a batch with those of other users. That learns more slowly than all places
    of a sequence at once and generalises better. See ``TrainingTask`` for the methods.

    Args:
        encoder: see ``PrefixEncoder``.
        max_len: latest events of a prefix that are read.
        batch_size: prefixes in a batch.
        temperature: of scores between vectors of unit length; None: plain products.
    """

    item: Tensor

    def __init__(self, encoder: nn.Module, *, max_len: int, batch_size: int, temperature: float | None) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.max_len, self.batch_size, self.temperature = max_len, batch_size, temperature
        self._items: Tensor | None = None

    def learn_from(self, histories: Histories) -> None:
        """Put the training events on the network's device; they are not saved with its weights."""
        self.histories = histories
        item = torch.from_numpy(histories.item_idx.astype(np.int64))
        self.register_buffer("item", item, persistent=False)
        self.prefixes = training_prefixes(histories, self.max_len)
        if not len(self.prefixes.target):
            log.warning("no user has two baskets, so there is no order to learn from")

    def batches(self, rng: np.random.Generator, parts: int) -> list[Prefixes]:
        """See ``TrainingTask``."""
        return self.prefixes.batches(max(1, self.batch_size // parts), rng) or [self.prefixes]

    def loss(self, batch: Prefixes) -> Tensor:
        """See ``TrainingTask``."""
        if not len(batch.target):
            return 0.0 * self.encoder.items.weight.sum()
        target = self.item[torch.from_numpy(batch.target).to(self.item.device)]
        states = self.encoder(*packed_events(self.item, batch))
        return full_softmax(self._scaled(states), self._catalogue(), target)

    def train(self, mode: bool = True) -> Self:
        """Training invalidates the cached catalogue."""
        self._items = None
        return super().train(mode)

    @torch.inference_mode()
    def score(self, users: Histories) -> np.ndarray:
        """See ``TrainingTask``; zero throughout for a user without a history."""
        catalogue = self._items = self._catalogue() if self._items is None else self._items
        device = catalogue.device
        states = torch.zeros(len(users), catalogue.shape[1], device=device)
        item = torch.from_numpy(users.item_idx.astype(np.int64)).to(device)
        for rows, windows in by_length(latest_windows(users, self.max_len)):
            states[torch.from_numpy(rows).to(device)] = self.encoder(*packed_events(item, windows)).float()
        return (self._scaled(states) @ catalogue.T).float().cpu().numpy()

    def _scaled(self, states: Tensor) -> Tensor:
        return states if self.temperature is None else F.normalize(states, dim=-1) / self.temperature

    def _catalogue(self) -> Tensor:
        items = self.encoder.items.weight
        return items if self.temperature is None else F.normalize(items, dim=-1)


def packed_events(item: Tensor, windows: Windows) -> tuple[Tensor, Packed]:
    """Item indices (T,) of windows, shortest first, one after another; and how they are packed."""
    place, real = laid_out(windows, item.device)
    return item[place[real]], Packed.of(torch.from_numpy(windows.length).to(item.device))
