"""RecBole: any of its models as one of ours."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import require_recbole
from omniretail.models.recommenders.recbole.scoring import Fitted, score
from omniretail.models.recommenders.recbole.settings import config_of
from omniretail.models.recommenders.recbole.tables import ITEM, USER, attribute_words, places, tables_of
from omniretail.models.recommenders.recbole.training import trained, untrained
from omniretail.models.recommenders.recbole.weights import put_in, weights_of
from omniretail.models.recommenders.recbole.zoo import (
    NEEDS_ATTRIBUTES,
    ZOO,
    require_known,
    require_packages,
    require_parameters,
)
from omniretail.views.histories import Histories
from omniretail.views.train import Train

_FAMILIES = ("general", "sequential", "knowledge")


class RecBole:
    """A model of RecBole (Zhao et al., CIKM 2021 and 2022), trained by RecBole on our events, scored in our order.

    RecBole sees the training events only, in memory; it writes no file and leaves the process as it was. Sequential
    models and those that take a user as a row of the matrix (EASE, ItemKNN, the autoencoders) serve any history; the
    others learn a vector per user and know no one else.

    RecBole builds a model from its data, so the training events are kept, and saved, with the weights. What is computed
    rather than trained (EASE, ItemKNN, SLIM, …) is computed again after loading.

    Args:
        name: of the model, as RecBole spells it.
        params: its parameters under RecBole's names; what is not given keeps RecBole's default.
        epochs: passes over the training events, at most; in each stage, for models trained in stages.
        patience: epochs without a better inner validation before training stops. The inner validation is each user's
            last training event, which the model then does not learn from; 0: none, all epochs over all events.
        attributes: columns of the item table for models that use them; None: all that hold words, but the name.
        seed: of everything random.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(
        self,
        name: str = "LightGCN",
        params: Mapping[str, Any] | None = None,
        epochs: int = 50,
        patience: int = 0,
        attributes: Sequence[str] | None = None,
        seed: int = 1,
        device: str = "cpu",
    ) -> None:
        self.name = name
        self.params = dict(params or {})
        self.epochs = epochs
        self.patience = patience
        self.attributes = attributes
        self.seed = seed
        self.device = device

    @property
    def label(self) -> str:
        """What tables call it: ``RecBole EASE`` beside our own EASE."""
        return f"RecBole {self.name}"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            RecBoleAbsentError: where RecBole is not installed.
            ValueError: where there is no such model, it has no such parameter, or it needs attributes or packages that
                are not there.
        """
        require_known(self.name, _FAMILIES)
        require_recbole()
        require_parameters(self.name, self.params)
        require_packages(self.name)
        uses = self.name in NEEDS_ATTRIBUTES or ZOO[self.name] == "knowledge" or self.attributes is not None
        names, words = attribute_words(train.item_table, self.attributes if uses else ())
        if uses and not len(names):
            raise ValueError(f"RecBole's {self.name} needs item attributes, and the item table of this source has none")
        self.offsets_, self.item_idx_ = train.histories.offsets.copy(), train.histories.item_idx.copy()
        self.attribute_names_, self.attribute_words_ = names, words  # (A,), (I, A)
        self._fitted = self._made(trained)
        self.weights_ = weights_of(self._fitted.model)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list.

        Raises:
            UnknownUserError: from a model that learns a vector per user, for a user who was not in training.
        """
        if not hasattr(self, "_fitted"):  # read from a file
            require_recbole()
            self._fitted = self._made(untrained)
            put_in(self._fitted.model, self.weights_)
        with contained(self.seed):
            return score(self._fitted, users)

    def _made(self, how: Callable[..., tuple[Any, Any]]) -> Fitted:
        """The model, trained or ready for its weights; RecBole builds either from the training events."""
        graph = ZOO[self.name] == "knowledge"
        tables = tables_of(self.offsets_, self.item_idx_, self.attribute_names_, self.attribute_words_, graph)
        settings = partial(
            config_of,
            self.name,
            {**self._implied(), **self.params},
            epochs=self.epochs,
            patience=self.patience,
            seed=self.seed,
            device=self.device,
        )
        with contained(self.seed):
            model, data = how(self.name, tables, settings, self.seed)
        n_items = len(self.attribute_words_)
        return Fitted(
            name=self.name,
            data=data,
            model=model,
            users=places(data, USER, len(self.offsets_) - 1),
            items=places(data, ITEM, n_items),
            popularity=np.bincount(self.item_idx_, minlength=n_items).astype(np.float32),
        )

    def _implied(self) -> dict[str, Any]:
        """The attributes that are there, in place of those of RecBole's example."""
        if self.name not in NEEDS_ATTRIBUTES:
            return {}
        names = self.attribute_names_.tolist()
        return {"item_attribute": names[0]} if self.name == "S3Rec" else {"selected_features": names}
