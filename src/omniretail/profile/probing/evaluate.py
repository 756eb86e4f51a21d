"""The probing task: what do a frozen encoder's embeddings know about customers?"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import DataError
from omniretail.core.progress import progress
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.table import ProfileTable
from omniretail.policies.protocol import described
from omniretail.profile.embedding import embed_windows
from omniretail.profile.probing.cross_fitting import ProbePredictions, cross_fit
from omniretail.profile.probing.metrics import mean_metric, predictions_table, question_metrics, resampled_metrics
from omniretail.profile.probing.probes import Probes
from omniretail.profile.probing.questions import Question, questions
from omniretail.profile.propensity.saved_probes import fit_saved_probes
from omniretail.profile.tags.rules import tags_from
from omniretail.profile.tags.thresholds import learn
from omniretail.profile.windows import TwoWindows, aligned, two_windows, whole_log
from omniretail.result import Result
from omniretail.splits.cutoff import Stage
from omniretail.splits.temporal import Temporal
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Probing:
    """Predict attributes and next-window behaviour of customers from their embeddings, by small models.

    Encoder and probes learn at a cutoff one window before the stage's. Attributes are predicted at the stage's cutoff;
    behaviour is learned from the window before it and evaluated in the window after it. Both are predicted for
    customers that the probes were not trained on.

    Attributes:
        probes: the small models.
        n_folds: folds of customers.
        levels: name of a question -> column of the items table whose values customers buy.
        min_class_customers: customers behind each class of an attribute.
        min_buyers: customers who buy, and who do not buy, a value of a level.
        tags: rules of the tags that are saved with the encoder, see ``tags_from``.
    """

    probes: Probes = field(default_factory=Probes)
    n_folds: int = 5
    levels: Mapping[str, str] = field(default_factory=dict)
    min_class_customers: int = 10
    min_buyers: int = 50
    tags: Mapping[str, Any] = field(default_factory=dict, metadata=NOT_PROTOCOL)

    def __post_init__(self) -> None:
        at_least(self, "n_folds", low=2)
        at_least(self, "min_class_customers", "min_buyers", low=1)

    def evaluate(self, model: ProfileEncoder, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the encoder, embed the customers at both cutoffs and probe; see ``Task``.

        Raises:
            DataError: where the data does not allow it.
            SettingsError: where embeddings are not finite.
        """
        require_methods(model, ["fit", "embed"], "profile", example="profile/table")
        windows = _windows(data, stage)
        with metered() as fitting:
            model.fit(windows.earlier)
        earlier, later, embedding = embed_windows(model, windows)
        pairs = questions(windows, data.user_attributes, self.levels, self.min_class_customers, self.min_buyers)
        with metered() as probing:
            predictions = [self._predict(question, earlier, later) for question in progress(pairs, "questions probed")]
        result = Result(
            model=model_name(model),
            stage=stage,
            task="probing",
            **_measured(predictions, windows.later.users.ids),
            protocol=protocol_of(self, "probing", data, stage, user_attributes=described(dict(data.user_attributes))),
            parameters=parameters_of(model),
            cost=costs(fit=fitting, score=embedding, probe=probing) | {"embedding_dim": later.shape[1]},
            seed=seed_of(model),
        )
        return Evaluation(
            result,
            bundle=self._bundle(model, windows, earlier, pairs, predictions) if stage == "test" else None,
            tables={"predictions": predictions_table(_usable(predictions), windows.later.users.ids.to_numpy())},
            findings={each.target.name: dict(each.target.left_out) for each in predictions},
            model=model,
        )

    def _predict(self, question: Question, earlier: np.ndarray, later: np.ndarray) -> ProbePredictions:
        learned, evaluated = question
        learned_at = later if evaluated.kind == "attribute" else earlier
        return cross_fit(self.probes, learned, evaluated, learned_at, later, self.n_folds)

    def _bundle(
        self,
        model: ProfileEncoder,
        windows: TwoWindows,
        earlier: np.ndarray,
        pairs: Sequence[Question],
        predictions: Sequence[ProbePredictions],
    ) -> dict[str, Any]:
        """What ``bundles.save_profile`` takes."""
        past, now = windows.earlier, windows.later
        table = ProfileTable().fit(past)
        return {
            "model": model,
            "train": replace(past, histories=aligned(now, past), users=now.users, at=now.at),
            "probes": fit_saved_probes(self.probes, [learned for learned, _ in pairs], predictions, earlier),
            "table": table,
            "tags": learn(tags_from(self.tags), table.table(past.histories, past.at), table.features()),
        }


def _windows(data: Dataset, stage: Stage) -> TwoWindows:
    """The windows of the stage; the whole log where it is too short for them and customers have attributes."""
    try:
        return two_windows(data, stage)
    except DataError as error:
        if not (data.user_attributes and isinstance(data.split, Temporal) and data.tables.card.clock):
            raise
        log.warning("customers are probed for their attributes alone, as of the end of the log (%s)", error)
        return whole_log(data)


def _usable(predictions: Sequence[ProbePredictions]) -> list[ProbePredictions]:
    """Questions with customers and classes."""
    return [each for each in predictions if len(each.rows) and each.target.classes]


def _measured(predictions: Sequence[ProbePredictions], users: pd.Index) -> dict[str, Any]:
    """The fields of ``Result`` that hold metrics and counts; per customer, how many questions they are part of."""
    usable = _usable(predictions)
    resampled = resampled_metrics(usable, len(users))
    by_question = pd.concat([question_metrics(each) for each in usable], ignore_index=True)
    counts = {"customers": float(len(users))}
    for each in usable:
        counts[f"{each.target.name}/customers"] = len(each.rows)
        counts[f"{each.target.name}/classes"] = len(each.target.classes)
    n_questions = sum(np.bincount(each.rows, minlength=len(users)) for each in usable)
    return {
        "metrics": pd.concat([mean_metric(by_question, resampled), by_question], ignore_index=True),
        "resampled": resampled,
        "per_unit": pd.DataFrame({"n_questions": n_questions}, index=pd.Index(users, name="user_id")),
        "counts": counts,
    }
