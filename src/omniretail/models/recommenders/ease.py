"""EASE: a linear autoencoder in closed form."""

import os
from dataclasses import dataclass
from typing import Self, get_args

import numpy as np
from scipy import sparse
from tqdm import trange

from omniretail.core.checks import above, at_least, one_of
from omniretail.core.errors import SettingsError
from omniretail.models.sparse_ops import dense_times_sparse
from omniretail.views.histories import Histories
from omniretail.views.item_channels import channel_code, item_channels
from omniretail.views.matrix import Weighting, weighted_user_items
from omniretail.views.train import Train

_BLOCK = 1024


@dataclass(eq=False)
class EASE:
    """Item weights B that minimise ``|X - XB|^2 + l2 |B|^2`` with a zero diagonal (Steck, WWW 2019).

    With ``P = (X'X + l2 I)^-1`` the minimum is ``B = I - P / diag(P)``, an inverse in item space. Where there are more
    items than users, the same P is ``(I - X' K X) / l2`` with ``K = (XX' + l2 I)^-1`` (Woodbury), an inverse in user
    space; B is then never formed: ``xB = x - (x - x X'K X) / diag(I - X'KX)``.

    Memory: 4 bytes x min(users, items)^2, and time its third power; ``SparseEASE`` is for larger catalogues.

    Args:
        l2: the paper's lambda; more of it for denser data.
        weighting: of a pair of user and item, by how many of the user's baskets held it, see ``views.matrix``; ``log``
            or ``count`` where customers buy again.
        target_channel: in a log of several channels, the one whose items are recommended; None: all count alike.
        source_weight: of a pair in any other channel, in X'X.
    """

    l2: float = 200.0
    weighting: Weighting = "binary"
    target_channel: str | None = None
    source_weight: float = 1.0

    def __post_init__(self) -> None:
        above(self, "l2")
        at_least(self, "source_weight")
        one_of(self, "weighting", get_args(Weighting))

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            SettingsError: where ``l2`` is too small for the matrix to have an inverse.
            DataError: where the log has no such channel.
        """
        for name in ("item_weights_", "user_items_", "kernel_", "unexplained_"):  # of an earlier fit
            vars(self).pop(name, None)
        self.item_scale_ = np.ones(train.histories.n_items, dtype=np.float32)  # (I,)
        if self.target_channel is not None:
            in_source = item_channels(train) != channel_code(train, self.target_channel)
            self.item_scale_[in_source] = np.sqrt(self.source_weight)
        user_items = self._weighted(train.histories)  # (U, I)
        if train.histories.n_items <= len(train.histories):
            self.item_weights_ = _gram_inverse(user_items, self.l2)  # P, and from here on B in its place: (I, I)
            self.item_weights_ /= -self.item_weights_.diagonal()
            np.fill_diagonal(self.item_weights_, 0)
        else:
            self.user_items_ = user_items
            self.kernel_ = _gram_inverse(sparse.csr_array(user_items.T), self.l2)  # K: (U, U)
            self.unexplained_ = 1 - _quadratic_forms(self.kernel_, user_items)  # diag(I - X'KX): (I,)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        own = self._weighted(users)  # (B, I)
        if hasattr(self, "item_weights_"):
            return own @ self.item_weights_
        user_weights = (own @ self.user_items_.T).toarray() @ self.kernel_  # (B, U)
        scores = dense_times_sparse(user_weights, self.user_items_)  # (B, I)
        scores -= own
        scores /= self.unexplained_
        scores += own
        return scores

    def _weighted(self, histories: Histories) -> sparse.csr_array:
        user_items = weighted_user_items(histories, self.weighting)
        user_items.data *= self.item_scale_[user_items.indices]
        return user_items


def _gram_inverse(vectors: sparse.csr_array, l2: float) -> np.ndarray:
    """Inverse of ``vectors' vectors + l2 I``, computed in place; shape (N, N) for N columns."""
    rows = vectors.T.tocsr()
    _require_memory(len(rows.indptr) - 1)
    gram = np.empty((len(rows.indptr) - 1,) * 2, dtype=np.float32)
    for start in range(0, len(gram), _BLOCK):
        gram[start : start + _BLOCK] = (rows[start : start + _BLOCK] @ vectors).toarray()
    gram.flat[:: len(gram) + 1] += l2
    try:
        for start in trange(0, len(gram), _BLOCK, desc="EASE", unit="block", delay=3, leave=False, disable=None):
            _sweep_block(gram, slice(start, min(start + _BLOCK, len(gram))))
    except np.linalg.LinAlgError:
        raise SettingsError(f"EASE: X'X + l2 I cannot be inverted with l2={l2}; raise it") from None
    return _mirrored(np.negative(gram, out=gram))


def _require_memory(n: int) -> None:
    """Refuse an inverse that the machine's memory cannot hold, before hours are spent on paging.

    Raises:
        SettingsError: naming the sparse form.
    """
    needed, present = 4 * n * n / 2**30, os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    if needed > present:
        raise SettingsError(
            f"EASE: an inverse of {n:,} x {n:,} takes {needed:,.0f} GiB, and the machine has {present:,.0f}; "
            "use model=recommender/sparse_ease"
        )


def _sweep_block(matrix: np.ndarray, own: slice) -> None:
    """Sweep one diagonal block (Beaton 1964) in the lower triangle; after all blocks the matrix is minus its inverse.

    It uses products of matrices only: LAPACK's Cholesky in OpenBLAS 0.3 crashes beyond some 40,000 columns of float32.
    """
    square = matrix[own, own].astype(np.float64)
    np.linalg.cholesky(square)  # raises where the matrix is not positive definite
    pivot = np.linalg.inv(square).astype(np.float32)  # (b, b)
    column = np.concatenate([matrix[own, : own.start].T, matrix[own.start :, own]])  # (N, b)
    swept = column @ pivot
    for start in range(0, len(matrix), _BLOCK):
        rows = slice(start, start + _BLOCK)
        matrix[rows, : rows.stop] -= swept[rows] @ column[: rows.stop].T
    matrix[own, : own.start] = swept[: own.start].T
    matrix[own.start :, own] = swept[own.start :]
    matrix[own, own] = -pivot


def _mirrored(matrix: np.ndarray) -> np.ndarray:
    """Copy the lower triangle onto the upper one, in place."""
    for start in range(0, len(matrix), _BLOCK):
        block = slice(start, start + _BLOCK)
        square = np.tril(matrix[block, block])
        matrix[block, block] = square + np.tril(square, -1).T
        matrix[:start, block] = matrix[block, :start].T
    return matrix


def _quadratic_forms(kernel: np.ndarray, vectors: sparse.csr_array) -> np.ndarray:
    """``x' kernel x`` for every column x of the vectors (U, I), block by block; shape (I,)."""
    columns = vectors.T.tocsr()  # (I, U)
    blocks = (columns[start : start + _BLOCK] for start in range(0, len(columns.indptr) - 1, _BLOCK))
    return np.concatenate([block.multiply(block @ kernel).sum(axis=1) for block in blocks]).astype(np.float32)
