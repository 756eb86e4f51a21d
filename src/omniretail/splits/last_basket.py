"""Each user's last basket is test, the one before it validation (next-basket recommendation)."""

from dataclasses import dataclass

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, cut_by_position, is_empty


@dataclass(frozen=True)
class LastBasket:
    """The protocol of the next-basket papers (TIFU-KNN, the next-basket reality check).

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
        baskets = events.group_by("user_id", "basket_id").agg(start=_.timestamp.min())
        newest_first = [_.start.desc(), _.basket_id.desc()]
        baskets = baskets.mutate(
            position=ibis.row_number().over(group_by=_.user_id, order_by=newest_first),
            total=_.count().over(group_by=_.user_id),
        ).drop("start")
        cut = cut_by_position(events.join(baskets, ["user_id", "basket_id"]), stage, self.min_baskets)
        if is_empty(cut.held_out):
            raise DataError(f"split=last_basket: no user has {self.min_baskets} baskets; lower split.min_baskets")
        return cut
