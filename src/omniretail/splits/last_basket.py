"""Each user's last basket is test, the one before it validation (next-basket recommendation)."""

from dataclasses import dataclass

import ibis

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage


@dataclass(frozen=True)
class LastBasket:
    """The protocol of the next-basket papers (TIFU-KNN, the NBR reality check).

    Args:
        min_baskets: users with fewer stay in training whole and are not judged.
    """

    min_baskets: int = 3

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``. A basket's time is its first event's; ties are broken by basket id.

        Raises:
            DataError: where the events carry no ``basket_id``, or no user has ``min_baskets``.
        """
        if "basket_id" not in events.columns:
            raise DataError("split=last_basket needs basket_id in the events; use split=leave_last or split=temporal")
        baskets = events.group_by("user_id", "basket_id").agg(_time=events.timestamp.min())
        newest_first = [baskets._time.desc(), baskets.basket_id.desc()]
        ranked = baskets.mutate(
            _from_end=ibis.row_number().over(group_by=baskets.user_id, order_by=newest_first),
            _n=baskets.count().over(group_by=baskets.user_id),
        ).drop("_time")
        events = events.join(ranked, ["user_id", "basket_id"])
        judged = events._n >= self.min_baskets
        position = 0 if stage == "test" else 1
        held_out = events.filter(judged & (events._from_end == position))
        before = events.filter(~judged | (events._from_end > position))
        if held_out.count().execute() == 0:
            raise DataError(f"split=last_basket: no user has {self.min_baskets} baskets; lower split.min_baskets")
        return Cutoff(before.drop("_from_end", "_n"), held_out.drop("_from_end", "_n"))
