"""The network of TwoTower and its loss."""

from typing import Self

import numpy as np
import torch
from scipy import sparse
from torch import Tensor, nn

from omniretail.models.recommenders.profile_inputs import ProfileInputs
from omniretail.models.sequential import by_length, laid_out, what_comes_next
from omniretail.nn.losses import NEVER, log_expected, sampled_softmax, scores_of
from omniretail.nn.towers import ItemTower, UserTower, unit
from omniretail.views.histories import Histories
from omniretail.views.sequences import Windows, last_of_previous_basket, latest_windows, training_windows


class TwoTowerNetwork(nn.Module):
    """Picks each basket's items out of those of the whole batch, from the events before. See ``TrainingTask``.

    Args:
        item_attributes: one where an item has an attribute value; shape (I, F).
        user_attributes: one where a training user has one; shape (U, G).
        dim: D.
        max_len: latest events that are read.
        temperature: of the cosine scores.
        id_dropout: see ``ItemTower``.
        batch_events: events in a batch.
        has_id: False for items that nobody has taken yet, known by their attributes alone; None: none; shape (I,).
        profiles: of users, a further input; None: there is none.
    """

    item: Tensor
    previous: Tensor
    row_of: Tensor
    popularity: Tensor
    profile: Tensor
    profile_row: Tensor

    def __init__(
        self,
        item_attributes: sparse.csr_array,
        user_attributes: sparse.csr_array,
        *,
        dim: int,
        max_len: int,
        temperature: float,
        id_dropout: float,
        batch_events: int,
        has_id: np.ndarray | None = None,
        profiles: ProfileInputs | None = None,
    ) -> None:
        super().__init__()
        self.profiles = profiles
        self.item_attributes, self.user_attributes = item_attributes, user_attributes
        self.max_len, self.temperature, self.batch_events = max_len, temperature, batch_events
        (self.n_items, n_item_values), (_, n_user_values) = _shape(item_attributes), _shape(user_attributes)
        self.has_id = torch.from_numpy(np.ones(self.n_items, dtype=bool) if has_id is None else has_id)
        self.item_tower = ItemTower(self.n_items, n_item_values, dim, id_dropout)
        self.user_tower = UserTower(n_user_values, dim, max_len, profiles.dim if profiles else 0)
        self._catalogue: Tensor | None = None

    def learn_from(self, histories: Histories) -> None:
        """Put the training events on the network's device."""
        self.histories = histories
        popularity = 1.0 + np.bincount(histories.item_idx, minlength=histories.n_items)
        flat = {
            "item": histories.item_idx.astype(np.int64),
            "previous": last_of_previous_basket(histories),
            "row_of": histories.rows,
            "popularity": popularity.astype(np.float32),
        }
        if self.profiles is not None:
            flat["profile"], flat["profile_row"] = self.profiles.in_training(histories)
        for name, array in flat.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Windows]:
        """See ``TrainingTask``."""
        windows = training_windows(self.histories, self.max_len, rng)
        return windows.batches(max(1, self.batch_events // parts), rng)

    def loss(self, batch: Windows) -> Tensor:
        """See ``TrainingTask``."""
        place, real = laid_out(batch, self.item.device)  # (B, L)
        distinct, number = torch.unique(self.item[place], return_inverse=True)
        vectors = self.items(distinct.cpu().numpy(), self.item_attributes[distinct.cpu().numpy()])  # (N, D)
        attributes = self.user_attributes[self.row_of[place[:, 0]].cpu().numpy()]
        profiles = None if self.profiles is None else self.profile[self.profile_row[place]]  # (B, L, P)
        states = self.user_tower(vectors[number], *self._flat(attributes), profiles)  # (B, L, D)
        row, at, event = what_comes_next(self.previous, place, real)
        queries = unit(states[row, at]) / self.temperature  # (P, D)
        if not len(row):
            return 0.0 * states.sum()
        offset = number[row, event - place[row, 0]]
        positive, negative = scores_of(queries, vectors, offset, offset)  # in-batch: (P,), (P, P)
        expected = log_expected(self.popularity, len(row))[distinct][offset]
        return sampled_softmax(positive, (negative - expected).clamp_min(NEVER))

    def items(self, item_idx: np.ndarray | None, attributes: sparse.csr_array) -> Tensor:
        """Unit vectors of N items, ``item_idx`` None for items outside the catalogue; shape (N, D)."""
        if item_idx is None:
            return unit(self.item_tower(None, *self._flat(attributes)))
        index = torch.from_numpy(item_idx)
        has_id = self.has_id[index].to(self._device)
        return unit(self.item_tower(index.to(self._device), *self._flat(attributes), has_id))

    @torch.inference_mode()
    def users(self, users: Histories, attributes: sparse.csr_array) -> np.ndarray:
        """Unit vectors of B users with these attributes; shape (B, D)."""
        catalogue = self.catalogue()
        item = torch.from_numpy(users.item_idx.astype(np.int64)).to(self._device)
        empty = torch.zeros(len(users), 1, catalogue.shape[1], device=self._device)
        profiles = None
        if self.profiles is not None:
            profiles = torch.from_numpy(self.profiles.of_users(users)).to(self._device)[:, None]  # (B, 1, P)
        states = self.user_tower(empty, *self._flat(attributes), profiles)[:, 0]  # of users without a history
        for rows, windows in by_length(latest_windows(users, self.max_len)):
            place, _ = laid_out(windows, self._device)
            own_profiles = None if profiles is None else profiles[torch.from_numpy(rows)]
            after = self.user_tower(catalogue[item[place]], *self._flat(attributes[rows]), own_profiles)
            last = torch.from_numpy(windows.length - 1)
            states[torch.from_numpy(rows)] = after[torch.arange(len(rows)), last]
        return unit(states).float().cpu().numpy()

    def score(self, users: Histories) -> np.ndarray:
        """See ``TrainingTask``."""
        vectors = self.users(users, attributes_of(users, self.user_attributes))
        return vectors @ self.catalogue().float().cpu().numpy().T

    @torch.inference_mode()
    def catalogue(self) -> Tensor:
        """Vectors of all items, cached until training goes on; shape (I, D)."""
        if self._catalogue is None:
            self._catalogue = self.items(np.arange(self.n_items), self.item_attributes)
        return self._catalogue

    def train(self, mode: bool = True) -> Self:
        """Training invalidates the cached catalogue."""
        self._catalogue = None
        return super().train(mode)

    @property
    def _device(self) -> torch.device:
        return self.user_tower.age.device

    def _flat(self, attributes: sparse.csr_array) -> tuple[Tensor, Tensor]:
        """Indices of attribute values, row after row, and where each row begins."""
        values, starts = (torch.from_numpy(part.astype(np.int64)) for part in (attributes.indices, attributes.indptr))
        return values.to(self._device), starts[:-1].to(self._device)


def attributes_of(users: Histories, attributes: sparse.csr_array) -> sparse.csr_array:
    """Those of B users, none for users who were not in training; (U, G) to (B, G)."""
    own = attributes[np.maximum(users.user_idx, 0)].multiply((users.user_idx >= 0)[:, None]).tocsr()
    own.eliminate_zeros()  # the tower reads every stored entry, whatever its weight
    return own


def _shape(matrix: sparse.csr_array) -> tuple[int, int]:
    """Rows and columns."""
    rows, columns = matrix.shape  # type: ignore[misc]  # SciPy's stubs allow one dimension
    return rows, columns
