"""Profiles of users as inputs of a network that recommends, without leaking what the network predicts."""

import copy
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.views.histories import Histories
from omniretail.views.sequences import last_of_previous_basket
from omniretail.views.train import Train

_CLIP = 5.0


@dataclass(frozen=True)
class ProfileInputs:
    """A fitted, frozen encoder's vectors, standardised.

    A training example must not read a profile that contains the basket to predict. So profiles are computed at M
    snapshot times before the cutoff. The encoder, and the means and scales of its columns, are learned from the events
    before the first snapshot. The input for predicting a basket is the profile of the customer's history before the
    latest snapshot that is not after the beginning of that basket; before the first snapshot it is zero. Neither the
    basket nor any later event changes it. For recommendations the input is the profile as of the cutoff.

    Baskets held out for inner validation are left out of the profiles too, but the encoder has learned from those
    before the first snapshot.

    Attributes:
        encoder: fitted.
        snapshots: ascending, seconds since 1970; int64, shape (M,).
        means: of the encoder's columns at the first snapshot; shape (P,).
        scales: their standard deviations, one where a column is constant; shape (P,).
        at: the cutoff, seconds since 1970; int64, shape ().
    """

    encoder: ProfileEncoder
    snapshots: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, encoder: ProfileEncoder, train: Train, share: float, n_snapshots: int) -> Self:
        """Fit a copy of the encoder on the first part of the training events.

        Args:
            encoder: not fitted.
            train: the training set.
            share: of the time between the first event and the cutoff, the part before the first snapshot; in (0, 1).
            n_snapshots: M, 1 or more; the first ends that part, the others divide the rest evenly.
        """
        first = int(train.histories.timestamp.min())
        parts = share + (1 - share) * np.arange(n_snapshots) / n_snapshots
        snapshots = np.ceil(first + (train.at - first) * parts).astype(np.int64)
        early, start = _before(train.histories, snapshots[0]), int(snapshots[0])
        fitted = copy.deepcopy(encoder).fit(replace(train, histories=early, at=start))
        vectors = fitted.embed(early.take(np.flatnonzero(early.lengths)), start).astype(np.float64)
        spread = vectors.std(axis=0)
        return cls(fitted, snapshots, vectors.mean(axis=0), np.where(spread > 1e-6, spread, 1.0), np.array(train.at))

    @property
    def dim(self) -> int:
        """P."""
        return len(self.means)

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the encoder, by name."""
        return {"snapshots": self.snapshots, "means": self.means, "scales": self.scales, "at": self.at}

    def of_users(self, users: Histories, at: int | None = None) -> np.ndarray:
        """Profiles of B users, zero without a history; float32, shape (B, P).

        Args:
            users: histories.
            at: the time as of which they are described; None: the cutoff, or the end of a history that goes beyond it.
        """
        vectors = self.encoder.embed(users, users.as_of(int(self.at)) if at is None else at)
        profiles = np.clip((vectors - self.means) / self.scales, -_CLIP, _CLIP).astype(np.float32)
        profiles[users.lengths == 0] = 0
        return profiles

    def in_training(self, histories: Histories) -> tuple[np.ndarray, np.ndarray]:
        """All profiles that training reads, and which of them each event reads.

        Args:
            histories: of U users, E events.

        Returns:
            N = 1 + M U profiles, the first zero, shape (N, P); and for the state after each event the row of the
            profile that is read to predict the user's next basket, shape (E,).
        """
        profiles = [self.of_users(_before(histories, at), int(at)) for at in self.snapshots]
        row = np.zeros(len(histories.item_idx), dtype=np.int64)
        previous = last_of_previous_basket(histories)
        state = previous[previous >= 0]  # the basket to predict begins right after it
        latest = np.searchsorted(self.snapshots, histories.timestamp[state + 1], side="right") - 1
        row[state] = np.where(latest >= 0, 1 + latest * len(histories) + histories.rows[state], 0)
        return np.concatenate([np.zeros((1, self.dim), dtype=np.float32), *profiles]), row


def _before(histories: Histories, at: int | np.integer) -> Histories:
    return histories.keep(histories.timestamp < at)
