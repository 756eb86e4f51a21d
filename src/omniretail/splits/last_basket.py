"""Each user's last basket is test, the one before it validation (next-basket recommendation)."""

from dataclasses import dataclass, field
from typing import Any

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.baskets import with_basket_numbers
from omniretail.splits.cutoff import Cutoff, Stage, cut_by_position, is_empty
from omniretail.splits.file_order import in_file_order


@dataclass(frozen=True)
class LastBasket:
    """The protocol of the next-basket papers (TIFU-KNN, the next-basket reality check).

    Args:
        min_baskets: users with fewer stay in training whole and are not judged.
        refit: see ``Split``.
    """

    min_baskets: int = 3
    refit: bool = field(default=True, repr=False)

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``; ``with_basket_numbers`` says what a basket is.

        Raises:
            DataError: where the events have no ``basket_id``, or no user has ``min_baskets``.
        """
        if "basket_id" not in events.columns:
            raise DataError("split=last_basket needs basket_id in the events; use split=leave_last or split=temporal")
        numbered: Any = with_basket_numbers(in_file_order(events))
        counted = numbered.judged.any().cast("int64") if "judged" in events.columns else ibis.literal(1)
        baskets = numbered.group_by("user_id", "basket").agg(counted=counted)
        newer = ibis.window(group_by="user_id", order_by=_.basket.desc(), preceding=None, following=0)
        placed = baskets.mutate(
            position=_.counted.sum().over(newer) - _.counted, total=_.counted.sum().over(group_by="user_id")
        )
        cut = cut_by_position(
            numbered.join(placed, ["user_id", "basket"]).drop("counted", "basket"), stage, self.min_baskets
        )
        if is_empty(cut.held_out):
            raise DataError(f"split=last_basket: no user has {self.min_baskets} baskets; lower split.min_baskets")
        return cut
