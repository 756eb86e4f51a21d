"""What a network that recommends is told of its users' profiles, in training and afterwards."""

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
    """A fitted, frozen encoder's vectors, standardised, as inputs of a network.

    An example must not be told of the basket that it is to predict. So the time before the cutoff is divided by some
    moments. The encoder, and how its columns are standardised, are learned from what lies before the first of them.
    To predict a basket, the network is told the vector of what the customer had done before the latest moment that is
    not after the basket's beginning; before the first moment it is told nothing, which is nought. What a basket holds,
    and all that comes after it, has no part in that. Asked for recommendations it is told the vector as of the cutoff.
    Baskets that are held out for inner validation are hidden from the vectors too, but the encoder has learned from
    those before the first moment.

    Attributes:
        encoder: fitted.
        moments: ascending, seconds since 1970; int64, shape (M,).
        means: of the encoder's columns at the first moment; shape (P,).
        scales: their standard deviations, one where a column is the same for everybody; shape (P,).
        at: the cutoff, seconds since 1970; int64, shape ().
    """

    encoder: ProfileEncoder
    moments: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    at: np.ndarray

    @classmethod
    def of(cls, encoder: ProfileEncoder, train: Train, share: float, n_moments: int) -> Self:
        """Fit a copy of the encoder on the first part of the training events.

        Args:
            encoder: not fitted.
            train: the training set.
            share: of the time between the first event and the cutoff, what lies before the first moment.
            n_moments: M; the time that is left is divided evenly.

        Raises:
            ValueError: where a setting is out of range.
        """
        if not 0 < share < 1:
            raise ValueError(f"profile_share={share} must lie between 0 and 1: the encoder learns from that part")
        if n_moments < 1:
            raise ValueError(f"profile_moments={n_moments} must be 1 or more")
        first = int(train.histories.timestamp.min())
        parts = share + (1 - share) * np.arange(n_moments) / n_moments
        moments = np.ceil(first + (train.at - first) * parts).astype(np.int64)
        early, start = _before(train.histories, moments[0]), int(moments[0])
        fitted = copy.deepcopy(encoder).fit(replace(train, histories=early, at=start))
        vectors = fitted.embed(early.take(np.flatnonzero(early.lengths)), start).astype(np.float64)
        spread = vectors.std(axis=0)
        return cls(fitted, moments, vectors.mean(axis=0), np.where(spread > 1e-6, spread, 1.0), np.array(train.at))

    @property
    def dim(self) -> int:
        """P."""
        return len(self.means)

    def arrays(self) -> dict[str, np.ndarray]:
        """All but the encoder, by name."""
        return {"moments": self.moments, "means": self.means, "scales": self.scales, "at": self.at}

    def of_users(self, users: Histories, at: int | None = None) -> np.ndarray:
        """Vectors of B users at the cutoff or another moment, nought without a history; float32, shape (B, P)."""
        vectors = self.encoder.embed(users, int(self.at) if at is None else at)
        told = np.clip((vectors - self.means) / self.scales, -_CLIP, _CLIP).astype(np.float32)
        told[users.lengths == 0] = 0
        return told

    def in_training(self, histories: Histories) -> tuple[np.ndarray, np.ndarray]:
        """All vectors that are told in training, and to whom.

        Args:
            histories: of U users, E events.

        Returns:
            N = 1 + M U vectors, the first nought, shape (N, P); and for the state after each event the number of the
            vector that is told beside it to predict the user's next basket, shape (E,).
        """
        vectors = [self.of_users(_before(histories, moment), int(moment)) for moment in self.moments]
        told = np.zeros(len(histories.item_idx), dtype=np.int64)
        previous = last_of_previous_basket(histories)
        state = previous[previous >= 0]  # of which the basket that begins right after it is told
        latest = np.searchsorted(self.moments, histories.timestamp[state + 1], side="right") - 1
        told[state] = np.where(latest >= 0, 1 + latest * len(histories) + histories.rows[state], 0)
        return np.concatenate([np.zeros((1, self.dim), dtype=np.float32), *vectors]), told


def _before(histories: Histories, moment: int | np.integer) -> Histories:
    return histories.keep(histories.timestamp < moment)
