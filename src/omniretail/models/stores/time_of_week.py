"""TimeOfWeekStore: a customer goes where they went at this time of the week."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import sparse

from omniretail.core.checks import above, at_least
from omniretail.models.stores.decayed_visits import pairs_of, visit_weights
from omniretail.models.stores.most_frequent import MostFrequentStore
from omniretail.models.stores.within_horizon import within_horizon
from omniretail.views.stores.visit_log import StoreLog, VisitQueries, weekday_and_part


@dataclass(eq=False)
class TimeOfWeekStore:
    """Ranks stores by the customer's visits, more weight on those of the same weekday and part of the day.

    Visits of the weekday or the part of the day alone add a little, since the cells of one customer are nearly empty.
    Where the time is unknown it is ``MostFrequentStore``.

    Args:
        weekday: additional weight of a visit on the same weekday.
        part: additional weight of a visit at the same part of the day.
        both: further weight of a visit at both.
        half_life_days: age at which a visit weighs half; None: all weigh the same.
    """

    weekday: float = 0.5
    part: float = 1.0
    both: float = 3.0
    half_life_days: float | None = 56

    def __post_init__(self) -> None:
        at_least(self, "weekday", "part", "both")
        above(self, "half_life_days")

    def fit(self, log: StoreLog) -> Self:
        """See ``StoreModel``."""
        self.parts_ = {"frequent": MostFrequentStore(self.half_life_days).fit(log)}
        day, part = weekday_and_part(log.visits.timestamp, log.zone)
        weight = visit_weights(log, self.half_life_days)
        self.visits_ = {"row": log.visits.row, "store": log.visits.store, "day": day, "part": part, "weight": weight}
        self.zone_ = np.array(log.zone)
        return self

    def score(self, queries: VisitQueries, timed: bool) -> np.ndarray:
        """See ``StoreModel``."""
        frequent = self.parts_["frequent"]
        scores = frequent.score(queries, timed)
        if not timed:
            return scores
        day, part = weekday_and_part(queries.visits.timestamp, str(self.zone_))
        query, visit = pairs_of(queries.visits.row, self.visits_["row"], len(frequent.counts_))
        same_day = self.visits_["day"][visit] == day[query]
        same_part = self.visits_["part"][visit] == part[query]
        weight = self.weekday * same_day + self.part * same_part + self.both * (same_day & same_part)
        weight = weight * self.visits_["weight"][visit]
        np.add.at(scores, (query, self.visits_["store"][visit]), weight.astype(np.float32))
        return scores

    def visit_probability(self, log: StoreLog, horizon_days: float) -> sparse.csr_array:
        """See ``StoreModel``; the times of the visits are unknown, so it is that of ``MostFrequentStore``."""
        return within_horizon(self, log, horizon_days)
