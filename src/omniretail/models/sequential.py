"""The training and scoring that recommenders over sequences share."""

import logging
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its name everywhere)

from omniretail.core.checks import require
from omniretail.nn.item_vectors import FeaturedItems
from omniretail.nn.losses import NEVER, SampledLoss, scores_of
from omniretail.nn.negatives import Negatives
from omniretail.nn.repeats import OwnItems
from omniretail.nn.softmax import full_softmax
from omniretail.views.histories import Histories
from omniretail.views.sequences import (
    CIRCUMSTANCES,
    Windows,
    circumstances,
    last_of_previous_basket,
    latest_windows,
    training_windows,
)

log = logging.getLogger(__name__)

_EVENTS_AT_ONCE = 1 << 13  # so that activations fit a processor's cache


class SequenceNetwork(nn.Module):
    """Predict the items of each basket from the state after the basket before.

    Where a basket is one event, that is the next item. See ``TrainingTask`` for the methods.

    Args:
        encoder: see ``SequenceEncoder``.
        loss: over sampled negatives; None: cross-entropy over the whole catalogue.
        max_len: latest events of a history that are read.
        context: circumstances of an event that the encoder reads beside its item.
        batch_events: events in a batch.
        n_negatives: drawn for each batch and shared by its positions.
        popularity: exponent of an item's number of events in the draw of negatives; 0: all items alike.
        log_q: correct sampled scores by how often each negative is drawn; not for losses over pairs.
        temperature: of scores between vectors of unit length; None: plain products.
        own_items: bonus for items of the user's history; None: no bonus.
    """

    item: Tensor
    circumstance: Tensor
    basket: Tensor
    previous: Tensor
    sold: Tensor

    def __init__(
        self,
        encoder: nn.Module,
        loss: SampledLoss | None,
        *,
        max_len: int,
        context: Sequence[str] = (),
        batch_events: int = 1024,
        n_negatives: int = 1024,
        popularity: float = 0.0,
        log_q: bool = False,
        temperature: float | None = None,
        own_items: OwnItems | None = None,
    ) -> None:
        super().__init__()
        self.encoder: Any = encoder
        self.own_items, self.temperature = own_items, temperature
        self._items: Tensor | None = None
        self.sampled_loss, self.max_len, self.context = loss, max_len, tuple(context)
        self.batch_events, self.n_negatives, self.popularity, self.log_q = batch_events, n_negatives, popularity, log_q

    def learn_from(self, histories: Histories) -> None:
        """Put the training events on the network's device; they are not saved with its weights."""
        self.histories = histories
        flat = {
            "item": histories.item_idx.astype(np.int64),
            "circumstance": circumstances(histories, self.context),
            "basket": histories.basket.astype(np.int64),
            "previous": last_of_previous_basket(histories),
        }
        for name, array in flat.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)
        events = torch.from_numpy(np.bincount(histories.item_idx, minlength=histories.n_items)).float()
        items = self.encoder.items
        judged = items.has_id if isinstance(items, FeaturedItems) else torch.ones_like(events, dtype=torch.bool)
        self.negatives = Negatives((1 + events) ** self.popularity * judged, self.n_negatives)
        self.register_buffer("sold", judged.nonzero().squeeze(1), persistent=False)
        if not (self.previous >= 0).any():
            log.warning("no user has two baskets, so there is no order to learn from")

    def batches(self, rng: np.random.Generator, parts: int) -> list[Windows]:
        """See ``TrainingTask``."""
        windows = training_windows(self.histories, self.max_len, rng)
        return windows.batches(max(1, self.batch_events // parts), rng)

    def loss(self, batch: Windows) -> Tensor:
        """See ``TrainingTask``."""
        place, real = laid_out(batch, self.item.device)  # (B, L)
        states = self.encoder(self.item[place], self.circumstance[place])  # (B, L, D)
        row, at, target = what_comes_next(self.previous, place, real)
        states, items = self._comparable(states)
        queries, targets = states[row, at], self.item[target]  # (P, D), (P,)
        if self.sampled_loss is None:
            return full_softmax(queries, *self._among_sold(items, targets))
        negatives = self.negatives.draw()
        positive, negative = scores_of(queries, items, targets, negatives)
        if self.log_q:
            negative = (negative - self.negatives.log_q[negatives]).clamp_min(NEVER)
        if self.own_items is not None:
            positive, own = self._own(states, items, place, row, at, targets, positive)
            negative = torch.cat([negative, own], dim=1)
        return self.sampled_loss(positive, negative) if len(targets) else 0.0 * states.sum()

    def _among_sold(self, items: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors of items that are negatives, and the targets among them: one that nobody has taken yet is none."""
        if len(self.sold) == len(items):
            return items, targets
        return items[self.sold], torch.searchsorted(self.sold, targets)

    def _comparable(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """States and the catalogue's vectors, of unit length where there is a temperature."""
        return self._scaled(states), self._catalogue()

    def _scaled(self, states: Tensor) -> Tensor:
        return states if self.temperature is None else F.normalize(states, dim=-1) / self.temperature

    def _catalogue(self) -> Tensor:
        items = self.encoder.items.weight
        return items if self.temperature is None else F.normalize(items, dim=-1)

    def train(self, mode: bool = True) -> Self:
        """Training invalidates the cached catalogue."""
        self._items = None
        return super().train(mode)

    def _own(
        self,
        states: Tensor,
        vectors: Tensor,
        place: Tensor,
        row: Tensor,
        at: Tensor,
        targets: Tensor,
        positive: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Targets' scores with their bonus, and scores of the user's own items as further negatives, (P, L)."""
        assert self.own_items is not None
        items, basket = self.item[place], self.basket[place]  # (B, L)
        column = torch.arange(place.shape[1], device=place.device)
        ago = torch.where(column <= column[:, None], basket[:, :, None] - basket[:, None, :], -1)  # (B, L, L)
        bonus, represents = self.own_items.candidates(items, ago)
        own = (states @ F.embedding(items, vectors).mT).float() + bonus
        bonus, own, represents = bonus[row, at], own[row, at], represents[row, at]  # (P, L)
        is_target = represents & (items[row] == targets[:, None])  # at most one in a row
        return positive + (bonus * is_target).sum(1), own.masked_fill(is_target | ~represents, NEVER)

    @torch.inference_mode()
    def score(self, users: Histories) -> np.ndarray:
        """See ``TrainingTask``; zero throughout for a user without a history."""
        device = self.encoder.items.weight.device
        items = self._items = self._catalogue() if self._items is None else self._items
        scores = self._scaled(self._states(users, device)) @ items.T  # (B, I)
        if self.own_items is not None and len(users.item_idx):
            scores = self._with_bonus(scores, users, device)
        return scores.float().cpu().numpy()

    def _states(self, users: Histories, device: torch.device) -> Tensor:
        """The state after each user's last event; shape (B, D)."""
        states = torch.zeros(len(users), self.encoder.items.embedding_dim, device=device)
        item = torch.from_numpy(users.item_idx.astype(np.int64)).to(device)
        circumstance = torch.from_numpy(circumstances(users, self.context)).to(device)
        for rows, windows in by_length(latest_windows(users, self.max_len)):
            place, _ = laid_out(windows, device)
            last = torch.from_numpy(windows.length - 1).to(device)
            after = self.encoder(item[place], circumstance[place])
            states[torch.from_numpy(rows).to(device)] = after[torch.arange(len(rows), device=device), last].float()
        return states

    def _with_bonus(self, scores: Tensor, users: Histories, device: torch.device) -> Tensor:
        assert self.own_items is not None
        place, real = laid_out(latest_windows(users, self.max_len), device)  # (B, L)
        place = place.clamp_max(len(users.item_idx) - 1)
        baskets = torch.from_numpy(users.basket.astype(np.int64)).to(device)[place]
        latest = torch.where(real, baskets, -1).amax(1, keepdim=True)
        item = torch.from_numpy(users.item_idx.astype(np.int64)).to(device)[place]
        return self.own_items.add_to(scores, item, torch.where(real, latest - baskets, -1))


def require_context(model: Any) -> list[str]:
    """The setting ``context`` of a model as a list.

    Raises:
        SettingsError: where a name is none of ``CIRCUMSTANCES``.
    """
    names = list(model.context)
    require(model, "context", set(names) <= set(CIRCUMSTANCES), f"hold names among {', '.join(CIRCUMSTANCES)}")
    return names


def what_comes_next(previous: Tensor, place: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """All P predictions in a batch of windows.

    Args:
        previous: see ``last_of_previous_basket``; shape (E,).
        place: from ``laid_out``; shape (B, L).
        real: from ``laid_out``.

    Returns:
        Row and column of the state to predict from, and the event to predict; each (P,).
    """
    before = previous[place] - place[:, :1]  # columns; negative where the window begins later
    row, column = (real & (before >= 0)).nonzero(as_tuple=True)
    return row, before[row, column], place[row, column]


def laid_out(windows: Windows, device: torch.device) -> tuple[Tensor, Tensor]:
    """Positions of each window's events, left-aligned, and which of them are real; both (B, L)."""
    start = torch.from_numpy(windows.start).to(device)[:, None]
    length = torch.from_numpy(windows.length).to(device)[:, None]
    column = torch.arange(max(1, int(windows.length.max(initial=1))), device=device)
    real = column < length
    return torch.where(real, start + column, start), real


def by_length(windows: Windows) -> Iterator[tuple[np.ndarray, Windows]]:
    """Rows of windows that are not empty, in groups of similar length, for scoring with little padding."""
    order = np.argsort(windows.length, kind="stable")
    order = order[windows.length[order] > 0]
    number = np.cumsum(windows.length[order]) // _EVENTS_AT_ONCE
    for rows in np.split(order, np.flatnonzero(np.diff(number)) + 1):
        if len(rows):
            yield rows, Windows(windows.start[rows], windows.length[rows])
