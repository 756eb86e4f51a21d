"""The split published with the files: each event has a ``fold``, train or test."""

from dataclasses import dataclass, field

import ibis
from ibis import _

from omniretail.schema import DataError
from omniretail.splits.cutoff import Cutoff, Stage, judged, require_stage


@dataclass(frozen=True)
class Fixed:
    """Published train and test files; validation is drawn from train, since the papers' files have none.

    Args:
        val_share: share of the training pairs that validation holds out, chosen by a hash of user and item; None: one
            of each user's, among the items that some other user has too, where test holds out one.
        salt: changes which pairs are drawn.
        refit: see ``Split``.
    """

    val_share: float | None = 0.1
    salt: str = "omniretail"
    refit: bool = field(default=True, repr=False)

    def cutoff(self, events: ibis.Table, stage: Stage) -> Cutoff:
        """See ``Split``.

        Raises:
            DataError: where the events have no ``fold``.
        """
        if "fold" not in events.columns:
            raise DataError("split=fixed needs a fold (train or test) in the events; use split=temporal or leave_last")
        require_stage(stage)
        train = events.filter(_.fold == "train").drop("fold")
        if stage == "test":
            return Cutoff(train, judged(events.filter(_.fold == "test").drop("fold")))
        # md5, unlike an engine's own hash, is the same on every engine and in every release
        pair = _.user_id.cast("string") + "|" + _.item_id.cast("string") + f"|{self.salt}"
        hashed = pair.hexdigest("md5")
        if self.val_share is None:
            return _one_each(train, hashed)
        chosen = hashed.substr(0, 6) < f"{int(self.val_share * 16**6):06x}"
        return Cutoff(train.filter(~chosen), judged(train.filter(chosen)))


def _one_each(train: ibis.Table, hashed: ibis.Deferred) -> Cutoff:
    """Hold out each user's pair with the lowest hash among items that another user has too."""
    shared = (_.user_id.count().over(group_by="item_id") > 1).cast("int8")
    marked = train.mutate(_shared=shared, _hash=hashed)
    nth = ibis.row_number().over(group_by="user_id", order_by=[_["_shared"].desc(), _["_hash"]])
    marked = marked.mutate(_chosen=(_["_shared"] == 1) & (nth == 0))
    before, held_out = (
        marked.filter(chosen).drop("_shared", "_hash", "_chosen") for chosen in (~_["_chosen"], _["_chosen"])
    )
    return Cutoff(before, judged(held_out))
