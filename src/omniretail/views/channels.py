"""A fold as it would be with one channel alone, and with customers who are new to one."""

from dataclasses import replace

import numpy as np
from scipy import sparse

from omniretail.views.fold import Fold
from omniretail.views.histories import Histories
from omniretail.views.train import Train


def in_channel(histories: Histories, train: Train, channel: str) -> np.ndarray:
    """True for events in a channel, and for none where the training set does not know it; shape (E,)."""
    return histories.channel == int(train.channels.encode([channel])[0])


def alone(fold: Fold, channel: str) -> Fold:
    """The fold with only the channel's events in it; users, items and truth stay."""
    return _with(fold, in_channel(fold.train.histories, fold.train, channel))


def new_to(fold: Fold, channel: str, share: float = 0.2, seed: int = 0) -> Fold:
    """The fold as if some of its judged users had never been in the channel; they alone are judged.

    Their events there are forgotten, in their histories and in training alike, so that all which is known of them comes
    from the other channels. A judged user without any event elsewhere is never chosen.

    Args:
        fold: of several channels.
        channel: in which they are new.
        share: of the judged users, drawn at random.
        seed: of the draw.

    Raises:
        ValueError: where nobody is chosen.
    """
    elsewhere = ~in_channel(fold.users, fold.train, channel)
    some = np.bincount(fold.users.rows[elsewhere], minlength=len(fold.users)) > 0
    chosen = np.flatnonzero(some & (np.random.default_rng(seed).random(len(some)) < share))
    if not len(chosen):
        raise ValueError(f"nobody judged in {channel} has events in another channel, so there is nothing to transfer")
    new = np.zeros(len(fold.train.users), dtype=bool)
    new[fold.users.user_idx[chosen]] = True
    histories = fold.train.histories
    kept = ~(new[histories.rows] & in_channel(histories, fold.train, channel))
    return _judging(_with(fold, kept), chosen)


def _with(fold: Fold, kept: np.ndarray) -> Fold:
    histories = fold.train.histories.keep(kept)
    return replace(fold, train=replace(fold.train, histories=histories), users=histories.take(fold.users.user_idx))


def _judging(fold: Fold, rows: np.ndarray) -> Fold:
    return replace(
        fold,
        user_ids=fold.user_ids[rows],
        users=fold.users.take(rows),
        held_out=sparse.csr_array(fold.held_out[rows]),
        n_held_out=fold.n_held_out[rows],
    )
