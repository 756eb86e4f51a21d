"""The response task: who acts on what is sent to them? Learned from offers that are over, evaluated on later ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.core.resources import costs, metered
from omniretail.core.times import parse_utc
from omniretail.dataset import Dataset
from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.metrics import measured, require_probabilities
from omniretail.o2o.offers.split import OfferFold, OfferSplit, Running
from omniretail.result import Result
from omniretail.schema import Tables
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of
from omniretail.views.offers.cached import load_offer_rows
from omniretail.views.offers.dictionary import Group
from omniretail.views.offers.rows import OfferRows
from omniretail.views.offers.user_attributes import with_user_attributes


@dataclass(frozen=True)
class Response:
    """Predict for each mailing how likely the customer is to act on it, from features as of the time of sending.

    What a model learns from (``groups``, ``levels``, ``running``) is no part of the protocol, since all are evaluated
    on the same mailings; it tells runs of one model apart.

    Attributes:
        groups: of features: ``customer``, ``past_offers``, ``offer``, ``match``, ``attribute_values``,
            ``user_attributes`` (those of the dataset).
        levels: columns of the item table by which an offer's items are matched, coarse to fine.
        val_from: see ``OfferSplit``.
        test_from: see ``OfferSplit``.
        running: see ``OfferSplit``.
        until: when the log ends, UTC (ISO 8601); None: at its last event.

    Raises:
        SettingsError: where a group of features is not one of these, or there is none.
    """

    groups: Sequence[str] = field(default=("customer", "past_offers", "offer", "match"), metadata=NOT_PROTOCOL)
    levels: Sequence[str] = field(default=("department", "category"), metadata=NOT_PROTOCOL)
    val_from: str | None = None
    test_from: str | None = None
    running: Running = field(default="leave_out", metadata=NOT_PROTOCOL)
    until: str | None = None

    def __post_init__(self) -> None:
        unknown = [group for group in self.groups if group not in get_args(Group)]
        if unknown or not self.groups:
            raise SettingsError(f"task.groups={list(self.groups)}: choose one or more of {', '.join(get_args(Group))}")

    def evaluate(self, model: ResponseModel, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model on offers that are over, and evaluate it on later ones; see ``Task``.

        Raises:
            DataError: where the source has no offers, or none to learn from or to judge.
            SettingsError: where the split is not set, or predictions are no probabilities.
        """
        require_methods(model, ["fit", "predict_proba"], "response", example="response/logistic")
        fold = self.fold(data.tables, stage, data.cache, data.user_attributes)
        names = fold.learned.columns(self.groups)
        learned = fold.learned.rows.reindex(columns=names)
        with metered() as fitting:
            model.fit(learned, fold.y)
        with metered() as scoring:
            score = model.predict_proba(fold.judged.rows.reindex(columns=names))
        require_probabilities(model_name(model), score)
        ids = {"user_id": fold.judged.user_id, "offer_id": fold.judged.offer_id}
        result = Result(
            model=model_name(model),
            stage=stage,
            task="response",
            **measured(pd.DataFrame({**ids, "truth": fold.judged.y, "score": score})),
            protocol=protocol_of(self, "response", data, stage, split=str(self.split())),
            parameters=self._parameters(model),
            counts=_counts(fold),
            cost=costs(fit=fitting, score=scoring),
            seed=seed_of(model),
        )
        return Evaluation(result, bundle={"model": model, "rows": learned}, model=model)

    def fold(
        self, tables: Tables, stage: Stage, cache: Path, user_attributes: Mapping[str, str] | None = None
    ) -> OfferFold:
        """The mailings that are learned from and judged at one stage.

        Raises:
            DataError: where the source has no offers, or none to learn from or to judge.
        """
        return self.split().cut(self.rows(tables, cache, user_attributes), stage)

    def rows(self, tables: Tables, cache: Path, user_attributes: Mapping[str, str] | None = None) -> OfferRows:
        """The mailings of all stages.

        Raises:
            DataError: where the source has no offers, or lacks attributes of users that ``groups`` names.
        """
        until = None if self.until is None else parse_utc(self.until)
        rows = load_offer_rows(tables, self.levels, "attribute_values" in self.groups, until, cache)
        return with_user_attributes(rows, tables, user_attributes or {}) if "user_attributes" in self.groups else rows

    def split(self) -> OfferSplit:
        """Which offers are validation and which are test."""
        return OfferSplit(self.val_from, self.test_from, self.running)

    def _parameters(self, model: ResponseModel) -> str:
        learned = {"groups": ",".join(self.groups), "levels": ",".join(self.levels), "running": self.running}
        return " ".join([parameters_of(model), *(f"{name}={value}" for name, value in learned.items())]).strip()


def _counts(fold: OfferFold) -> dict[str, float]:
    learned, judged = fold.learned, fold.judged
    return {
        "learned": len(learned),
        "learned_redeemed": int(fold.y.sum()),
        "learned_offers": len(np.unique(learned.offer_id)),
        "judged": len(judged),
        "judged_redeemed": int(judged.y.sum()),
        "judged_offers": len(np.unique(judged.offer_id)),
        **{f"left_out/{reason}": n for reason, n in (judged.left_out | fold.left_out).items()},
    }
