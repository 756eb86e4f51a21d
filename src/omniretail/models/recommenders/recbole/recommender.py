"""RecBole: any of its recommenders."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import require_recbole
from omniretail.models.recommenders.recbole.scoring import Fitted, score
from omniretail.models.recommenders.recbole.settings import config_of
from omniretail.models.recommenders.recbole.tables import ITEM, USER, attribute_values, places, tables_of
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


@dataclass(eq=False)
class RecBole:
    """A model of RecBole (Zhao et al., CIKM 2021 and 2022), trained by RecBole on our events.

    RecBole reads the training events only, in memory; it writes no file and leaves the process as it was. Sequential
    models and those that represent a user as a row of the matrix (EASE, ItemKNN, the autoencoders) score any history;
    the others learn a vector per user and score training users only.

    RecBole builds a model from its data, so the training events are saved with the weights. Models that are computed
    rather than trained (EASE, ItemKNN, SLIM, …) are computed again after loading.

    Args:
        name: of the model, as RecBole spells it.
        params: its parameters under RecBole's names; the others have RecBole's defaults.
        epochs: passes over the training events, at most; in each stage, for models trained in stages.
        patience: epochs without a better inner validation before training stops. The inner validation is each user's
            last training event, from which the model then does not learn; 0: none, all epochs over all events.
        attributes: columns of the item table for models that use them; None: all text columns but the name.
        seed: of everything random.
        device: ``cpu`` or ``cuda``.
    """

    name: str = "LightGCN"
    params: Mapping[str, Any] | None = None
    epochs: int = 50
    patience: int = 0
    attributes: Sequence[str] | None = None
    seed: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        require_known(self.name, _FAMILIES)
        at_least(self, "epochs", low=1)
        at_least(self, "patience")
        self.params = dict(self.params or {})

    @property
    def label(self) -> str:
        """Its name in tables, such as ``RecBole EASE`` beside our own EASE."""
        return f"RecBole {self.name}"

    def fit(self, train: Train) -> Self:
        """See ``Recommender``.

        Raises:
            RecBoleAbsentError: where RecBole is not installed.
            SettingsError: where the model has no such parameter, or needs attributes or packages that are missing.
        """
        require_recbole()
        require_parameters(self.name, self.params or {})
        require_packages(self.name)
        uses = self.name in NEEDS_ATTRIBUTES or ZOO[self.name] == "knowledge" or self.attributes is not None
        names, values = attribute_values(train.item_table, self.attributes if uses else ())
        if uses and not len(names):
            raise SettingsError(
                f"RecBole's {self.name} needs item attributes, and the item table of this source has none"
            )
        self.offsets_, self.item_idx_ = train.histories.offsets.copy(), train.histories.item_idx.copy()
        self.attribute_names_, self.attribute_values_ = names, values  # (A,), (I, A)
        self._fitted = self._built(trained)
        self.weights_ = weights_of(self._fitted.model)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``; a user without any history gets the popular list.

        Raises:
            UnknownUserError: from a model that learns a vector per user, for a user who was not in training.
        """
        if not hasattr(self, "_fitted"):  # loaded from files
            require_recbole()
            self._fitted = self._built(untrained)
            put_in(self._fitted.model, self.weights_)
        with contained(self.seed):
            return score(self._fitted, users)

    def _built(self, build: Callable[..., tuple[Any, Any]]) -> Fitted:
        """The model, ``trained`` or ``untrained``; RecBole builds either from the training events."""
        graph = ZOO[self.name] == "knowledge"
        tables = tables_of(self.offsets_, self.item_idx_, self.attribute_names_, self.attribute_values_, graph)
        settings = partial(
            config_of,
            self.name,
            {**self._implied(), **(self.params or {})},
            epochs=self.epochs,
            patience=self.patience,
            seed=self.seed,
            device=self.device,
        )
        with contained(self.seed):
            model, data = build(self.name, tables, settings, self.seed)
        n_items = len(self.attribute_values_)
        return Fitted(
            name=self.name,
            data=data,
            model=model,
            users=places(data, USER, len(self.offsets_) - 1),
            items=places(data, ITEM, n_items),
            popularity=np.bincount(self.item_idx_, minlength=n_items).astype(np.float32),
        )

    def _implied(self) -> dict[str, Any]:
        """The data's attributes in place of those of RecBole's example."""
        if self.name not in NEEDS_ATTRIBUTES:
            return {}
        names = self.attribute_names_.tolist()
        return {"item_attribute": names[0]} if self.name == "S3Rec" else {"selected_features": names}
