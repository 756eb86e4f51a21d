"""Inner windows: the last weeks before the cutoff, cut from the training events as test windows are from the log."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from scipy import sparse

from omniretail.ids import Vocabulary
from omniretail.views.histories import Histories
from omniretail.views.matrix import binary_user_items
from omniretail.views.train import Train, Validation

DAY_S = 24 * 3600


@dataclass(frozen=True)
class InnerWindow:
    """A training set that ends before the window, and what its users took in the window.

    Attributes:
        train: the events before the window, of the users who have any.
        users: histories of the V users who have events before the window and in it.
        taken: 1 where the user took the item in the window; float32, shape (V, I).
    """

    train: Train
    users: Histories
    taken: sparse.csr_array


def inner_windows(train: Train, horizon_days: float, n_windows: int, max_users: int) -> Iterator[InnerWindow]:
    """The latest window first; those in which nothing can be learned are left out.

    Windows of ``horizon_days`` follow each other without a gap, and the last ends at the cutoff. Where the data has an
    order but no times, or is shorter than one window, each customer's last basket is the window, then the one before.

    Args:
        train: the training set.
        horizon_days: length of a window.
        n_windows: at most so many.
        max_users: of one window; of more, some are taken, evenly spread.
    """
    histories = train.histories
    ago = np.floor((train.at - 1 - histories.timestamp) / (horizon_days * DAY_S)).astype(np.int64)  # windows, (E,)
    start = [train.at - int((number + 1) * horizon_days * DAY_S) for number in range(n_windows)]
    if not train.zone or not _learners(histories.keep(ago > 0), histories.keep(ago == 0)).size:
        ago = np.repeat(histories.n_baskets, histories.lengths) - 1 - histories.basket
        start = [train.at] * n_windows
    for number in range(n_windows):
        before, window = histories.keep(ago > number), histories.keep(ago == number)
        learners = _learners(before, window)
        if learners.size:
            learners = learners[:: 1 + (len(learners) - 1) // max_users]
            yield _window(replace(train, histories=before, at=start[number]), learners, window)


def outer_window(train: Train, validation: Validation, max_users: int) -> InnerWindow:
    """The validation of a split with ``refit=False``, in the place of an inner window.

    Args:
        train: the training set, which ends before it.
        validation: its validation.
        max_users: at most so many, evenly spread.
    """
    rows = np.arange(len(validation.users))[:: 1 + (len(validation.users) - 1) // max_users]
    return InnerWindow(train, validation.users.take(rows), validation.held_out[rows].astype(np.float32))


def _learners(before: Histories, window: Histories) -> np.ndarray:
    return np.flatnonzero((before.lengths > 0) & (window.lengths > 0))


def _window(before: Train, learners: np.ndarray, window: Histories) -> InnerWindow:
    present = np.flatnonzero(before.histories.lengths)
    train = _of_users(before, present)
    users = train.histories.take(np.searchsorted(present, learners))
    return InnerWindow(train, users, binary_user_items(window.take(learners)))


def _of_users(train: Train, rows: np.ndarray) -> Train:
    """The training set of some users, who are numbered anew."""
    histories = replace(train.histories.take(rows), user_idx=np.arange(len(rows), dtype=np.int32))
    table = None if train.user_table is None else train.user_table.iloc[rows].reset_index(drop=True)
    users = Vocabulary(train.users.ids[rows])
    return replace(train, histories=histories, users=users, user_table=table, validation=None)
