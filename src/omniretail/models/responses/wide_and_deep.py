"""WideAndDeep: a small network on what a customer buys against what an offer holds, beside the row's features."""

import dataclasses
import hashlib
from dataclasses import dataclass, field
from typing import Self

import numpy as np
import pandas as pd
import torch

from omniretail.core.cache import digest
from omniretail.core.checks import above, at_least, between
from omniretail.core.errors import SettingsError
from omniretail.models.responses.encoding import checked_outcomes, features_of, log_compressed, matrix, set_features
from omniretail.models.responses.features import Features
from omniretail.models.responses.wide_and_deep_network import WideAndDeepNetwork
from omniretail.models.saving import settings_of
from omniretail.models.training import Training
from omniretail.models.training.networks import weights_of, with_weights


@dataclass(eq=False)
class WideAndDeep:
    """Two towers and a wide part (Cheng et al., "Wide & Deep Learning for Recommender Systems", DLRS 2016).

    The embeddings of customer and offer are shares of purchases and of offered items by attribute value, in one space:
    the truncated SVD of the training rows' purchases. Both, their product and all other features go through a small
    network, beside a linear part over the same inputs. Offers are few, so ridge penalties hold both parts.

    Args:
        bought: prefix of the columns with a customer's shares of purchases by attribute value.
        offered: prefix of the columns with an offer's shares of items by the same values.
        dim: of the two embeddings.
        width: of the hidden layer.
        dropout: of its input and output.
        wide_ridge: penalty on the linear part, per training row, as ``strength`` of ``Logistic``.
        deep_ridge: the same on the network.
        learning_rate: of AdamW.
        batch_size: rows.
        seed: of everything random.
        training: where and how long; ``patience`` is ignored.
    """

    bought: str = "bought_share_of_"
    offered: str = "offered_share_of_"
    dim: int = 16
    width: int = 32
    dropout: float = 0.5
    wide_ridge: float = 0.3
    deep_ridge: float = 0.03
    learning_rate: float = 3e-3
    batch_size: int = 128
    seed: int = 1
    training: Training = field(default_factory=Training)

    def __post_init__(self) -> None:
        at_least(self, "dim", "width", "batch_size", low=1)
        at_least(self, "wide_ridge", "deep_ridge")
        between(self, "dropout")
        above(self, "learning_rate")

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``.

        Raises:
            SettingsError: where the attribute values of customers and offers differ.
            TrainingError: where training cannot go on.
        """
        from omniretail.models.training.fit import fit_network  # here, so that loading and scoring do without Lightning

        outcome = checked_outcomes(y)
        self.attribute_values_ = self._attribute_values(rows)
        set_features(self, Features.of(log_compressed(self._without_shares(rows))))
        x, bought, offered = self._inputs(rows)
        self.sizes_ = np.array([x.shape[1], bought.shape[1]])
        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            self._network = self._untrained()
        self._network.initialise(bought, float(outcome.mean()))
        self._network.learn_from(x, bought, offered, outcome)
        fit_network(
            self._network,
            dataclasses.replace(self.training, patience=0),
            name=type(self).__name__,
            key=f"wideanddeep-{self._fingerprint(x, bought, offered, outcome)}",
            learning_rate=self.learning_rate,
            weight_decay=0.0,
            seed=self.seed,
            inner=None,
        )
        self.weights_ = weights_of(self._network)
        return self

    @torch.inference_mode()
    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        features_of(self).require(rows)
        if not hasattr(self, "_network"):  # loaded from files
            self._network = with_weights(self._untrained(), self.weights_)
        inputs = [torch.from_numpy(each.astype(np.float32)) for each in self._inputs(rows)]
        return torch.sigmoid(self._network(*inputs).double()).numpy()

    def _attribute_values(self, rows: pd.DataFrame) -> np.ndarray:
        """Those of both sides; empty where the rows have none; shape (V,)."""
        bought, offered = (
            [str(column).removeprefix(prefix) for column in rows if str(column).startswith(prefix)]
            for prefix in (self.bought, self.offered)
        )
        if bought != offered:
            raise SettingsError(
                f"the columns {self.bought}… and {self.offered}… must name the same values in one order"
            )
        return np.array(bought, dtype=np.str_)

    def _without_shares(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows.loc[:, [not str(column).startswith((self.bought, self.offered)) for column in rows]]

    def _inputs(self, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Features (N, F), and the roots of the shares bought and offered, both (N, V)."""
        features = features_of(self)
        x = matrix(features, log_compressed(rows.reindex(columns=features.columns)))
        columns = [[f"{prefix}{value}" for value in self.attribute_values_] for prefix in (self.bought, self.offered)]
        bought, offered = (np.sqrt(rows.reindex(columns=each).fillna(0.0).to_numpy(np.float64)) for each in columns)
        return x, bought, offered

    def _untrained(self) -> WideAndDeepNetwork:
        n_features, n_values = self.sizes_.tolist()
        ridges = (self.wide_ridge, self.deep_ridge)
        return WideAndDeepNetwork(n_features, n_values, self.dim, self.width, self.dropout, ridges, self.batch_size)

    def _fingerprint(self, *arrays: np.ndarray) -> str:
        """Of everything that decides the result; the folder of checkpoints does not."""
        data = hashlib.sha256(b"".join(np.ascontiguousarray(each).tobytes() for each in arrays))
        training = dataclasses.replace(self.training, checkpoints=None)
        return digest(settings_of(self) | {"training": settings_of(training)}, data.hexdigest())
