"""A fold with one channel alone, and a fold with customers who are new to a channel."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories
from omniretail.views.train import Train


def in_channel(histories: Histories, train: Train, channel: str) -> np.ndarray:
    """True for events in a channel, and for none where the training set lacks it; shape (E,)."""
    code = int(train.channels.encode([channel])[0])
    return (histories.channel == code) & (code >= 0)


def alone(fold: Fold, channel: str) -> Fold:
    """The fold with the channel's events only; users, items and held-out items stay."""
    return _with(fold, in_channel(fold.train.histories, fold.train, channel))


def new_to(fold: Fold, channel: str, share: float = 0.2, seed: int = 0) -> Fold:
    """The fold as if some of its judged users had never been in the channel; they alone are judged.

    Their events in the channel are removed from their histories and from training, so that a model sees their events in
    other channels only. Only users with such events are drawn.

    Args:
        fold: of several channels.
        channel: in which the drawn users are new.
        share: of the judged users to draw.
        seed: of the draw.

    Raises:
        SettingsError: where no user is drawn.
    """
    elsewhere = ~in_channel(fold.users, fold.train, channel)
    active = np.bincount(fold.users.rows[elsewhere], minlength=len(fold.users)) > 0
    drawn = np.flatnonzero(active & (np.random.default_rng(seed).random(len(active)) < share))
    if not len(drawn):
        raise SettingsError(
            f"no judged user of {channel} has events in another channel, so there is nothing to transfer"
        )
    new = np.zeros(len(fold.train.users), dtype=bool)
    new[fold.users.user_idx[drawn]] = True
    histories = fold.train.histories
    removed = new[histories.rows] & in_channel(histories, fold.train, channel)
    return _judging(_with(fold, ~removed), drawn)


def _with(fold: Fold, events: np.ndarray) -> Fold:
    histories = fold.train.histories.keep(events)
    return replace(fold, train=replace(fold.train, histories=histories), users=histories.take(fold.users.user_idx))


def _judging(fold: Fold, rows: np.ndarray) -> Fold:
    return replace(
        fold,
        user_ids=fold.user_ids[rows],
        users=fold.users.take(rows),
        held_out=sparse.csr_array(fold.held_out[rows]),
        n_held_out=fold.n_held_out[rows],
    )
