"""RecBoleResponse: RecBole's context-aware models (FM, DeepFM, DCNv2, xDeepFM, AutoInt, …) as response models."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import SettingsError
from omniretail.models.recommenders.recbole.containment import contained
from omniretail.models.recommenders.recbole.library import module, require_recbole, torch
from omniretail.models.recommenders.recbole.settings import config_of
from omniretail.models.recommenders.recbole.tables import ITEM, LABEL, USER, RecBoleTables
from omniretail.models.recommenders.recbole.training import trained, untrained
from omniretail.models.recommenders.recbole.weights import put_in, weights_of
from omniretail.models.recommenders.recbole.zoo import require_known, require_parameters
from omniretail.models.responses.encoding import features_of, set_features
from omniretail.models.responses.features import Features, as_text

_ROWS_AT_ONCE = 1 << 16


@dataclass(eq=False)
class RecBoleResponse:
    """A context-aware model of RecBole, trained by RecBole with cross entropy on rows and their outcomes.

    Each category and each quantity gets a vector; the models differ in how these interact. A category that is not in
    the training rows counts as none.

    Args:
        name: of the model, as RecBole spells it.
        params: its parameters under RecBole's names; the others have RecBole's defaults.
        epochs: passes over the rows.
        seed: of everything random.
        device: ``cpu`` or ``cuda``.

    Raises:
        SettingsError: where RecBole has no such model.
    """

    name: str = "DeepFM"
    params: Mapping[str, Any] | None = None
    epochs: int = 10
    seed: int = 1
    device: str = "cpu"

    def __post_init__(self) -> None:
        require_known(self.name, ("context",))
        at_least(self, "epochs", low=1)
        self.params = dict(self.params or {})

    def fit(self, rows: pd.DataFrame, y: np.ndarray) -> Self:
        """See ``ResponseModel``.

        Raises:
            RecBoleAbsentError: where RecBole is not installed.
            SettingsError: where the model has no such parameter, or needs columns that the rows lack.
        """
        require_recbole()
        require_parameters(self.name, self.params or {})
        if self.name == "DSSM" and not {USER, ITEM} <= set(rows.columns):
            raise SettingsError(
                "RecBole's DSSM has towers for users and for items: it needs columns user_id and item_id"
            )
        features = Features.of(rows)
        set_features(self, features)
        labels = {LABEL: np.asarray(y, dtype=np.float64)}
        table = pd.DataFrame({**_texts(features, rows), **features.standardised(rows), **labels})
        self._model, _ = self._built(table, trained)
        self.weights_ = weights_of(self._model)  # safetensors
        return self

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        """See ``ResponseModel``."""
        features = features_of(self)
        features.require(rows)
        if not hasattr(self, "_model"):  # loaded from files
            self._model, _ = self._built(_each_category_once(features), untrained)
            put_in(self._model, self.weights_)
        numbers = {name: np.stack([v, np.ones_like(v)], axis=-1) for name, v in features.standardised(rows).items()}
        with contained(self.seed), torch().no_grad():
            inputs = {**features.codes(rows), **{name: v.astype(np.float32) for name, v in numbers.items()}}
            return np.concatenate([np.empty(0), *self._chances(inputs, len(rows))])

    def _chances(self, inputs: Mapping[str, np.ndarray], n: int) -> Iterator[np.ndarray]:
        interaction = module("data.interaction").Interaction
        for start in range(0, n, _ROWS_AT_ONCE):
            part = {key: torch().from_numpy(value[start : start + _ROWS_AT_ONCE]) for key, value in inputs.items()}
            scores = self._model.predict(interaction(part).to(torch().device(self.device)))
            yield scores.detach().cpu().numpy().astype(np.float64).reshape(-1)

    def _built(self, table: pd.DataFrame, build: Callable[..., tuple[Any, Any]]) -> tuple[Any, Any]:
        """The model, trained or ready for its weights."""
        quantities = features_of(self).quantities
        paired = {USER, ITEM} <= set(table.columns)
        settings = partial(
            config_of,
            self.name,
            self.params or {},
            epochs=self.epochs,
            patience=0,
            seed=self.seed,
            device=self.device,
            USER_ID_FIELD=USER if paired else None,
            ITEM_ID_FIELD=ITEM if paired else None,
            LABEL_FIELD=LABEL,
            numerical_features=quantities,
            train_neg_sample_args=None,
            metrics=["AUC"],
            valid_metric="AUC",
            eval_args={"split": {"RS": [1.0]}, "group_by": "none", "order": "RO", "mode": "labeled"},
        )
        with contained(self.seed):
            return build(self.name, RecBoleTables(table, numbers=(LABEL, *quantities)), settings, self.seed)


def _texts(features: Features, rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Each row's categories, as RecBole takes them."""
    return {name: as_text(rows, name) for name, _ in features.vocabularies()}


def _each_category_once(features: Features) -> pd.DataFrame:
    """Rows that hold all categories in their order: enough for RecBole to number them as in training."""
    longest = int(features.n_categories.max(initial=1))
    texts = {name: np.resize(values.astype(object), longest) for name, values in features.vocabularies()}
    return pd.DataFrame({**texts, **dict.fromkeys(features.quantities, 0.0), LABEL: np.arange(longest) % 2.0})
