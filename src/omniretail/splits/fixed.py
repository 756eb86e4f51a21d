"""The split that came with the files: events carry ``fold`` train or test."""

from dataclasses import dataclass

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage


@dataclass(frozen=True)
class Fixed:
    """Published train and test files; validation is carved from train, since the papers' files have none.

    Args:
        val_share: share of the training pairs that validation holds out, chosen by a hash of user and item.
        salt: another salt is another choice.
    """

    val_share: float = 0.1
    salt: str = "omniretail"

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where the events carry no ``fold``.
        """
        if "fold" not in events.columns:
            raise DataError("split=fixed needs a fold (train or test) in the events; use split=temporal or leave_last")
        train = events.filter(_.fold == "train").drop("fold")
        if stage == "test":
            return Cutoff(train, events.filter(_.fold == "test").drop("fold"))
        # md5 is the same on every engine and in every release, unlike an engine's own hash
        pair = _.user_id.cast("string") + "|" + _.item_id.cast("string") + f"|{self.salt}"
        chosen = pair.hexdigest("md5").substr(0, 6) < f"{int(self.val_share * 16**6):06x}"
        return Cutoff(train.filter(~chosen), train.filter(chosen))
