"""The next-store task: which store does a customer visit next? Evaluated by the visits after the cutoff."""

from dataclasses import dataclass

import pandas as pd

from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.stores.protocol import StoreModel
from omniretail.o2o.stores.visit_metrics import QUESTIONS, by_question, per_customer, recent_stores
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of
from omniretail.views.stores.visit_log import StoreLog, VisitQueries, load_stage


@dataclass(frozen=True)
class NextStore:
    """Rank the stores for each visit of the window, from the visits before it.

    Four questions: each customer's first visit or all of them, the time of the visit known or not. Each customer counts
    once, with the mean over their visits; a store that sold nothing before the cutoff is never predicted.

    Attributes:
        recent_days: length of the time before the cutoff in which the number of stores visited divides customers into
            groups.
    """

    recent_days: float = 91

    def evaluate(self, model: StoreModel, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model on the visits before the cutoff and rank stores for those after it; see ``Task``.

        Raises:
            DataError: where the log has no stores or no times, or holds out no visit.
            SettingsError: where scores are not finite.
        """
        require_methods(model, ["fit", "score"], "store", example="store/boosted")
        log, queries, _ = load_stage(data.tables, data.required_split(), stage, data.cache)
        with metered() as fitting:
            model.fit(log)
        with metered() as scoring:
            values = {
                question: per_customer(model.score(selected(queries), timed), selected(queries))
                for question, (selected, timed) in QUESTIONS.items()
            }
        groups = recent_stores(log, queries, self.recent_days)
        per_unit = by_question(values, groups)
        result = Result(
            model=model_name(model),
            stage=stage,
            task="next_store",
            per_unit=per_unit,
            metrics=_metrics(per_unit),
            protocol=protocol_of(self, "next_store", data, stage),
            parameters=parameters_of(model),
            counts=_counts(log, queries, groups),
            cost=costs(fit=fitting, score=scoring),
            seed=seed_of(model),
        )
        return Evaluation(result, findings=result, model=model)


def _metrics(per_unit: pd.DataFrame) -> pd.DataFrame:
    names = [str(name).rpartition("/") for name in per_unit]
    means = zip(names, per_unit.mean(), strict=True)
    return pd.concat([metric_rows({metric: value}, group) for (group, _, metric), value in means], ignore_index=True)


def _counts(log: StoreLog, queries: VisitQueries, groups: pd.Series) -> dict[str, float]:
    return {
        "visits_judged": len(queries),
        "customers_judged": len(groups),
        "visits_to_new_stores": int((queries.visits.store < 0).sum()),
        "visits_of_new_customers": int((queries.visits.row < 0).sum()),
        "stores": log.n_stores,
        **{f"customers_with_{group}": int(n) for group, n in groups.value_counts(sort=False).items()},
    }
