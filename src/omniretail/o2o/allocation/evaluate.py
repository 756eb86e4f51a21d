"""The allocation task: who is sent to which store when each store can serve only so many?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.core.errors import SettingsError
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.stores.protocol import StoreModel
from omniretail.models.stores.visit_probability import visited
from omniretail.o2o.allocation.budgets import Kind
from omniretail.o2o.allocation.comparison import METHODS, Case, assignment, compared, key_of
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries, load_stage


@dataclass(frozen=True)
class Allocation:
    """Predict who visits which store, send offers under budgets, and count the offers whose customer came.

    Attributes:
        kinds: of budgets, see ``budgets_of``.
        ks: offers per customer, at most.
        tightness: shares of the demand that budgets can serve.
        methods: ``greedy``, ``auction``, ``exact`` (up to some hundred thousand pairs); the first is the one that the
            others are tested against.
        horizon_days: from the cutoff, in which a visit counts; also the length of the window of past demand.

    Raises:
        SettingsError: where a setting is none of these, or there is none.
    """

    kinds: Sequence[Kind] = ("past_demand", "expected_demand", "equal")
    ks: Sequence[int] = (1, 2)
    tightness: Sequence[float] = (0.1, 0.25, 0.5, 0.75, 1.0)
    methods: Sequence[str] = field(default=("greedy", "auction"), metadata=NOT_PROTOCOL)
    horizon_days: float = 28

    def __post_init__(self) -> None:
        for name, choices in (("kinds", get_args(Kind)), ("methods", tuple(METHODS))):
            values = getattr(self, name)
            if not values or set(values) - set(choices):
                raise SettingsError(f"task.{name}={list(values)}: choose one or more of {', '.join(choices)}")
        if not self.ks or min(self.ks) < 1:
            raise SettingsError(f"task.ks={list(self.ks)}: choose whole numbers from 1, such as task.ks=[1,2]")
        if not self.tightness or min(self.tightness) <= 0:
            raise SettingsError(f"task.tightness={list(self.tightness)}: choose shares above 0, such as [0.5,1]")

    def evaluate(self, model: StoreModel, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model on the visits before the cutoff and allocate offers for the window after it; see ``Task``.

        Raises:
            DataError: where the log has no stores or no times, or holds out no visit.
            SettingsError: where settings of model and task do not fit.
        """
        require_methods(model, ["fit", "visit_probability"], "store", example="store/visit_probability")
        log, queries, _ = load_stage(data.tables, data.required_split(), stage, data.cache)
        with metered() as fitting:
            model.fit(log)
        with metered() as scoring:
            probability = model.visit_probability(log, self.horizon_days)
        went = visited(queries, log.n_users, log.n_stores)
        with metered() as allocating:
            table, hits = compared(probability, went, self._past_visitors(log), self._cases(), self.methods)
        result = Result(
            model=model_name(model),
            stage=stage,
            task="allocation",
            per_unit=hits.set_axis(_ids(log), axis="index"),
            metrics=_metrics(table, hits),
            protocol=protocol_of(self, "allocation", data, stage),
            parameters=parameters_of(model),
            counts=_counts(log, queries, went),
            cost=costs(fit=fitting, score=scoring, allocate=allocating),
            seed=seed_of(model),
        )
        tables = {"allocation": table, "assigned": self._assigned(log, probability)}
        return Evaluation(result, tables=tables, findings=(table, result), model=model)

    def _assigned(self, log: StoreLog, probability: sparse.csr_array) -> pd.DataFrame:
        """Whom the last method sends where, under the first kind of budgets and the middle size; likeliest first."""
        case = Case(self.kinds[0], self.ks[0], "value", sorted(self.tightness)[len(self.tightness) // 2])
        assert log.stores is not None
        chosen, _ = assignment(probability, self._past_visitors(log), case, self.methods[-1])
        offers = pd.DataFrame(
            {
                "user_id": _ids(log)[chosen.user],
                "store_id": log.stores.ids.to_numpy()[chosen.place],
                "probability": probability[chosen.user, chosen.place],
            }
        )
        offers.attrs["case"] = f" by {self.methods[-1]}, {case.k} per customer, for {case.tightness:.0%} of the demand"
        return offers.sort_values("probability", ascending=False, kind="stable", ignore_index=True)

    def _cases(self) -> list[Case]:
        return [
            Case(kind, k, aim, tightness)
            for kind in self.kinds
            for k in self.ks
            for aim in ("value", "f1")
            for tightness in self.tightness
        ]

    def _past_visitors(self, log: StoreLog) -> np.ndarray:
        past = log.visit_queries(log.at - int(self.horizon_days * DAY), log.at)
        return visited(past, log.n_users, log.n_stores).sum(axis=0)


def _ids(log: StoreLog) -> pd.Index:
    assert log.users is not None
    return pd.Index(log.users.ids.to_numpy(), name="user_id")


def _metrics(table: pd.DataFrame, hits: pd.DataFrame) -> pd.DataFrame:
    """Per customer: offers whose customer came (``served``) and expected to; and the F1 of the IJCAI-16 contest."""
    parts = [metric_rows({"served": mean}, str(key).rpartition("/")[0]) for key, mean in hits.mean().items()]
    for row in table.dropna(subset=["tightness"]).to_dict("records"):
        case = Case(row["kind"], row["k"], row["aim"], row["tightness"])
        group = key_of(case, row["method"]).rpartition("/")[0]
        parts.append(metric_rows({"expected": row["expected"] / len(hits), "f1": row["f1"]}, group))
    return pd.concat(parts, ignore_index=True)


def _counts(log: StoreLog, queries: VisitQueries, went: np.ndarray) -> dict[str, float]:
    return {
        "customers": log.n_users,
        "stores": log.n_stores,
        "visits_judged": len(queries),
        "visited_pairs": int(went.sum()),
    }
