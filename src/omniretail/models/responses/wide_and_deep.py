"""TasteMatch: what a customer buys against what an offer holds, by a small network beside the row's features."""

import dataclasses
import hashlib
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn import functional

from omniretail.core.cache import digest
from omniretail.models.responses.encoding import logged, matrix, remember, remembered, require_both
from omniretail.models.responses.features import Features
from omniretail.models.training import Training
from omniretail.models.training.networks import weights_of, with_weights


class WideAndDeep:
    """Two towers and a wide part (Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016).

    The customer's profile embedding and the offer's are what was bought and what is offered, word by word, in one
    space: the truncated SVD of the training rows' purchases. Both, their product and all other features go through a
    small network; a linear part over the same stands beside it. Offers are few, so ridge penalties hold both parts.

    Args:
        bought: columns that begin so tell the customer's past in words.
        offered: columns that begin so tell the offer's items in the same words.
        dim: of the two embeddings.
        width: of the hidden layer.
        dropout: of its input and output.
        wide_ridge: penalty on the linear part, per training row; what ``strength`` is to ``Logistic``.
        deep_ridge: the same on the network.
        learning_rate: of AdamW.
        batch_size: rows.
        seed: of everything random.
        training: where and how long; ``patience`` is not for rows.
    """

    def __init__(
        self,
        bought: str = "bought_share_of_",
        offered: str = "offered_share_of_",
        dim: int = 16,
        width: int = 32,
        dropout: float = 0.5,
        wide_ridge: float = 0.3,
        deep_ridge: float = 0.03,
        learning_rate: float = 3e-3,
        batch_size: int = 128,
        seed: int = 1,
        training: Training = Training(),  # noqa: B008  (frozen)
    ) -> None:
        self.bought = bought
        self.offered = offered
        self.dim = dim
        self.width = width
        self.dropout = dropout
        self.wide_ridge = wide_ridge
        self.deep_ridge = deep_ridge
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.seed = seed
        self.training = training

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``.

        Raises:
            ValueError: where all outcomes are alike, or the words of customers and offers differ.
            TrainingError: where training cannot go on.
        """
        from omniretail.models.training.fit import fit_network  # Lightning is for learning alone

        outcome = require_both(y)
        self.words_ = self._words(rows)
        bent = logged(self._plain(rows))
        remember(self, Features.of(bent))
        x, past, offer = self._inputs(rows)
        self.sizes_ = np.array([x.shape[1], past.shape[1]])
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self._task = self._made()
        self._task.start(past, float(outcome.mean()))
        self._task.learn_from(x, past, offer, outcome)
        settings = {k: v for k, v in vars(self).items() if not k.startswith("_") and not k.endswith("_")}
        settings["training"] = dataclasses.asdict(dataclasses.replace(self.training, checkpoints=None))
        data = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in (x, past, offer, outcome)))
        fit_network(
            self._task,
            dataclasses.replace(self.training, patience=0),
            name=type(self).__name__,
            key=f"tastematch-{digest(settings, data.hexdigest())}",
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            seed=self.seed,
            inner=None,
        )
        self.weights_ = weights_of(self._task)
        return self

    @torch.inference_mode()
    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``.

        Raises:
            ValueError: where a column is missing that the model was fitted with.
        """
        remembered(self).require(rows)
        if not hasattr(self, "_task"):  # read from a file
            self._task = with_weights(self._made(), self.weights_)
        parts = [torch.from_numpy(each.astype(np.float32)) for each in self._inputs(rows)]
        return torch.sigmoid(self._task(*parts).double()).numpy()

    def _words(self, rows: pd.DataFrame) -> np.ndarray:
        """The words of both sides, W of them; none where the rows have none."""
        sides = [
            [str(c).removeprefix(start) for c in rows if str(c).startswith(start)]
            for start in (self.bought, self.offered)
        ]
        if sides[0] != sides[1]:
            raise ValueError(f"the columns {self.bought}… and {self.offered}… must name the same words in one order")
        return np.array(sides[0], dtype=np.str_)

    def _plain(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.loc[:, [not str(c).startswith((self.bought, self.offered)) for c in rows]]

    def _inputs(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features (N, F), and the roots of the shares bought and offered, both (N, W)."""
        features = remembered(self)
        x = matrix(features, logged(rows.reindex(columns=features.columns)))
        sides = (
            np.sqrt(rows.reindex(columns=[f"{start}{word}" for word in self.words_]).fillna(0.0).to_numpy(np.float64))
            for start in (self.bought, self.offered)
        )
        past, offer = sides
        return x, past, offer

    def _made(self) -> "_Task":
        n_features, n_words = self.sizes_
        ridges = (self.wide_ridge, self.deep_ridge)
        return _Task(int(n_features), int(n_words), self.dim, self.width, self.dropout, ridges, self.batch_size)


class _Task(nn.Module):
    """See ``training.learner.Task``."""

    space: Tensor
    """Where words lie; (W, D)."""

    def __init__(
        self,
        n_features: int,
        n_words: int,
        dim: int,
        width: int,
        dropout: float,
        ridges: tuple[float, float],
        batch_size: int,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.ridges = ridges
        self.register_buffer("space", torch.zeros(n_words, dim))
        n_inputs = n_features + 3 * dim
        self.wide = nn.Linear(n_inputs, 1)
        nn.init.zeros_(self.wide.weight)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(n_inputs, width)
        self.top = nn.Linear(width, 1, bias=False)
        nn.init.zeros_(self.top.weight)

    def start(self, past: np.ndarray, rate: float) -> None:
        """The space from the training rows' purchases (W, dim), and the share that acted."""
        _, _, directions = np.linalg.svd(past, full_matrices=False)
        kept = directions[: self.space.shape[1]]
        kept = kept * np.sign(kept.sum(axis=1, keepdims=True) + 1e-12)  # the same signs on every machine
        spread = np.maximum((past @ kept.T).std(axis=0), 1e-6)  # of like size, as the other features are
        with torch.no_grad():
            self.space[:, : len(kept)] = torch.from_numpy((kept.T / spread).astype(np.float32))
            self.wide.bias.fill_(float(np.log(rate / (1 - rate))))

    def learn_from(self, *arrays: np.ndarray) -> None:
        """Rows, as ``forward`` takes them, and outcomes last."""
        for name, array in zip(("x", "past", "offer", "y"), arrays, strict=True):
            self.register_buffer(f"rows_{name}", torch.from_numpy(array.astype(np.float32)), persistent=False)

    def batches(self, rng: np.random.Generator, parts: int) -> list[Any]:
        """Rows in random order."""
        size = max(1, self.batch_size // parts)
        order = rng.permutation(len(self.get_buffer("rows_y")))
        return [torch.from_numpy(order[start : start + size]) for start in range(0, len(order), size)]

    def loss(self, batch: Tensor) -> Tensor:
        """Cross entropy and penalties."""
        rows = batch.to(self.space.device)
        x, past, offer, y = (self.get_buffer(f"rows_{name}")[rows] for name in ("x", "past", "offer", "y"))
        wide, deep = self.ridges
        network = self.hidden.weight.square().sum() + self.top.weight.square().sum()
        penalty = wide * self.wide.weight.square().sum() + deep * network
        return functional.binary_cross_entropy_with_logits(self(x, past, offer), y) + penalty / 2

    def forward(self, x: Tensor, past: Tensor, offer: Tensor) -> Tensor:
        """Features (N, F), words bought and offered (N, W) to logits (N,)."""
        customer, held = past @ self.space, offer @ self.space  # (N, dim)
        inputs = torch.cat([x, customer, held, customer * held], dim=1)  # (N, F + 3 dim)
        hidden = functional.gelu(self.hidden(self.dropout(inputs)))  # (N, width)
        return (self.wide(inputs) + self.top(self.dropout(hidden))).squeeze(1)
