"""How the two towers learn."""

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
    """Find each basket's items among those of the whole batch, from what was known before. See ``Task``.

    Args:
        said_of_items: words of each item; shape (I, F).
        said_of_users: words of each training user; shape (U, G).
        dim: D.
        max_len: latest events that are read.
        temperature: of the cosine scores.
        id_dropout: see ``ItemTower``.
        batch_events: events in a batch.
        profiles: what is told of users beside; None: nothing.
    """

    item: Tensor
    previous: Tensor
    row_of: Tensor
    popularity: Tensor
    told: Tensor
    told_of: Tensor

    def __init__(
        self,
        said_of_items: sparse.csr_array,
        said_of_users: sparse.csr_array,
        *,
        dim: int,
        max_len: int,
        temperature: float,
        id_dropout: float,
        batch_events: int,
        profiles: ProfileInputs | None = None,
    ) -> None:
        super().__init__()
        self.profiles = profiles
        self.said_of_items, self.said_of_users = said_of_items, said_of_users
        self.max_len, self.temperature, self.batch_events = max_len, temperature, batch_events
        (self.n_items, n_item_words), (_, n_user_words) = _sizes(said_of_items), _sizes(said_of_users)
        self.item_tower = ItemTower(self.n_items, n_item_words, dim, id_dropout)
        self.user_tower = UserTower(n_user_words, dim, max_len, profiles.dim if profiles else 0)
        self._catalogue: Tensor | None = None

    def learn_from(self, histories: Histories) -> None:
        """Put the training events where the network is."""
        self.histories = histories
        popularity = 1.0 + np.bincount(histories.item_idx, minlength=histories.n_items)
        flat = {
            "item": histories.item_idx.astype(np.int64),
            "previous": last_of_previous_basket(histories),
            "row_of": histories.rows,
            "popularity": popularity.astype(np.float32),
        }
        if self.profiles is not None:
            flat["told"], flat["told_of"] = self.profiles.in_training(histories)
        for name, array in flat.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(array)), persistent=False)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Windows]:
        """See ``Task``."""
        windows = training_windows(self.histories, self.max_len, rng)
        return windows.batches(max(1, self.batch_events // parts), rng)

    def loss(self, batch: Windows) -> Tensor:
        """See ``Task``."""
        place, real = laid_out(batch, self.item.device)  # (B, L)
        distinct, number = torch.unique(self.item[place], return_inverse=True)
        vectors = self.items(distinct.cpu().numpy(), self.said_of_items[distinct.cpu().numpy()])  # (N, D)
        said = self.said_of_users[self.row_of[place[:, 0]].cpu().numpy()]
        told = None if self.profiles is None else self.told[self.told_of[place]]  # (B, L, P)
        states = self.user_tower(vectors[number], *self._flat(said), told)  # (B, L, D)
        row, at, event = what_comes_next(self.previous, place, real)
        known = unit(states[row, at]) / self.temperature  # (P, D)
        if not len(row):
            return 0.0 * states.sum()
        offset = number[row, event - place[row, 0]]
        positive, negative = scores_of(known, vectors, offset, offset)  # in-batch: (P,), (P, P)
        expected = log_expected(self.popularity, len(row))[distinct][offset]
        return sampled_softmax(positive, (negative - expected).clamp_min(NEVER))

    def items(self, numbers: np.ndarray | None, said: sparse.csr_array) -> Tensor:
        """Unit vectors of items; ``numbers`` None for new ones. Shape (N, D)."""
        given = None if numbers is None else torch.from_numpy(numbers).to(self._device)
        return unit(self.item_tower(given, *self._flat(said)))

    @torch.inference_mode()
    def users(self, users: Histories, said: sparse.csr_array) -> np.ndarray:
        """Unit vectors of users with these words, shape (B, D)."""
        catalogue = self.catalogue()
        item = torch.from_numpy(users.item_idx.astype(np.int64)).to(self._device)
        nothing = torch.zeros(len(users), 1, catalogue.shape[1], device=self._device)
        told = None
        if self.profiles is not None:
            told = torch.from_numpy(self.profiles.of_users(users)).to(self._device)[:, None]  # (B, 1, P)
        states = self.user_tower(nothing, *self._flat(said), told)[:, 0]  # of users without a history
        for rows, windows in by_length(latest_windows(users, self.max_len)):
            place, _ = laid_out(windows, self._device)
            beside = None if told is None else told[torch.from_numpy(rows)]
            after = self.user_tower(catalogue[item[place]], *self._flat(said[rows]), beside)
            last = torch.from_numpy(windows.length - 1)
            states[torch.from_numpy(rows)] = after[torch.arange(len(rows)), last]
        return unit(states).float().cpu().numpy()

    def score(self, users: Histories) -> np.ndarray:
        """See ``Task``."""
        return self.users(users, words_of(users, self.said_of_users)) @ self.catalogue().float().cpu().numpy().T

    @torch.inference_mode()
    def catalogue(self) -> Tensor:
        """Vectors of all items, made once, until training goes on; shape (I, D)."""
        if self._catalogue is None:
            self._catalogue = self.items(np.arange(self.n_items), self.said_of_items)
        return self._catalogue

    def train(self, mode: bool = True) -> Self:
        """Training makes the catalogue's vectors stale."""
        self._catalogue = None
        return super().train(mode)

    @property
    def _device(self) -> torch.device:
        return self.user_tower.age.device

    def _flat(self, said: sparse.csr_array) -> tuple[Tensor, Tensor]:
        """Words one after another, and where each row's begin."""
        words, starts = (torch.from_numpy(part.astype(np.int64)) for part in (said.indices, said.indptr[:-1]))
        return words.to(self._device), starts.to(self._device)


def words_of(users: Histories, said: sparse.csr_array) -> sparse.csr_array:
    """The words of those of B users who were in training, of the others none; (U, G) to (B, G)."""
    given = said[np.maximum(users.user_idx, 0)].multiply((users.user_idx >= 0)[:, None]).tocsr()
    given.eliminate_zeros()  # a word that is stored is read, whatever it weighs
    return given


def _sizes(matrix: sparse.csr_array) -> tuple[int, int]:
    """Rows and columns."""
    rows, columns = matrix.shape  # type: ignore[misc]  # its stubs allow for one dimension
    return rows, columns
