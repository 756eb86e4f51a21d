"""From ranked lists to metrics: all that are configured, at every list length, repeat and new items separately."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.names import key
from omniretail.metrics.ranked_lists import RankedLists, hits_of
from omniretail.views.fold import Fold
from omniretail.views.matrix import binary_user_items

PerUser = Callable[[RankedLists, int], np.ndarray]
"""Takes the lists and k; returns one value per user, NaN where there is none; shape (U,)."""

Overall = Callable[[RankedLists, int], float]
"""Takes the lists and k; returns one value for all lists together."""

_POLICY_COSTS = ("feasible_share", "feasible_share_before", "regret", "score_regret")


@dataclass(frozen=True)
class Metrics:
    """The metrics of a run: the contents of ``configs/metrics/*.yaml``.

    Attributes:
        ks: list lengths, in items.
        primary: key by which models are compared and chosen, e.g. ``ndcg_at_10``.
        per_user: metrics with a value per user, by name.
        overall: metrics of all lists together, by name.
        split_repeat_new: names of ``per_user`` metrics also reported for repeat and for new items.

    Raises:
        SettingsError: where a ``k`` is no whole number from 1, or ``primary`` or ``split_repeat_new`` name a metric
            that is not measured.
    """

    ks: Sequence[int]
    primary: str
    per_user: Mapping[str, PerUser]
    overall: Mapping[str, Overall]
    split_repeat_new: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.ks or not all(type(k) is int and k > 0 for k in self.ks):
            raise SettingsError(f"metrics.ks={list(self.ks)}: choose whole numbers from 1, such as metrics.ks=[5,10]")
        measured = [key(name, k) for name, k in product(self.per_user, self.ks)]
        if self.primary not in measured:
            raise SettingsError(f"metrics.primary={self.primary} is not measured; choose one of {', '.join(measured)}")
        unknown = set(self.split_repeat_new) - set(self.per_user)
        if unknown:
            raise SettingsError(
                f"metrics.split_repeat_new names {sorted(unknown)}; choose among {', '.join(self.per_user)}"
            )

    def require(self, names: Sequence[str]) -> None:
        """Refuse names of metrics that are not measured; patterns pass.

        Raises:
            SettingsError: naming those that are measured.
        """
        whole = [key(name, k) for name, k in product([*self.per_user, *self.overall], self.ks)]
        parts = [
            key(name, k, part) for name, k, part in product(self.split_repeat_new, self.ks, ("repeat", "new", "cold"))
        ]
        costs = [key(name, k) for name, k in product(_POLICY_COSTS, self.ks)]
        measured = {*whole, *parts, *costs, *(f"unconstrained_{name}" for name in whole)}
        if unknown := [name for name in names if "*" not in name and name not in measured]:
            raise SettingsError(
                f"report: {unknown[0]} is not measured with metrics.ks={list(self.ks)}; choose among {', '.join(whole)}"
            )


def evaluate_lists(
    ranked: np.ndarray, fold: Fold, metrics: Metrics
) -> tuple[pd.DataFrame, dict[str, float], dict[str, float]]:
    """Compare the lists of a fold's users with their held-out items.

    A *repeat* is a held-out item in the user's history; every other held-out item is *new*, those outside the catalogue
    (``cold_items``) included. Both are reported separately where there are repeats at all. A *cold* one is in the
    catalogue and has no event before the cutoff; those are reported where the catalogue has any.

    Args:
        ranked: item indices, best first, -1 in unused places; shape (U, N) with N >= max(ks).
        fold: the users of the lists, and their held-out items.
        metrics: what to measure.

    Returns:
        Three: a value per user and metric, with ``n_history``, indexed by ``user_id``; the metrics of all lists
        together; and counts of users and items. A metric without a value for any user (diversity where no category is
        known) is left out.

    Raises:
        SettingsError: where the lists are shorter than the longest ``k``.
    """
    lists = ranked_lists(ranked, fold)
    parts = dict(_parts(lists, fold))
    values = {key(name, k): measure(lists, k) for name, measure in metrics.per_user.items() for k in metrics.ks}
    for (part, restricted), name, k in product(parts.items(), metrics.split_repeat_new, metrics.ks):
        values[key(name, k, part)] = metrics.per_user[name](restricted, k)
    per_user = pd.DataFrame(values, index=pd.Index(fold.user_ids, name="user_id")).dropna(axis="columns", how="all")
    per_user["n_history"] = fold.users.lengths
    overall = {key(name, k): measure(lists, k) for name, measure in metrics.overall.items() for k in metrics.ks}
    return per_user, overall, _counts(fold, parts)


def ranked_lists(ranked: np.ndarray, fold: Fold) -> RankedLists:
    """The lists with all that a metric may need."""
    category = fold.train.item_table.get("category")
    return RankedLists(
        ranked=ranked,
        hits=hits_of(ranked, fold.held_out),
        n_held_out=fold.n_held_out,
        item_users=np.bincount(binary_user_items(fold.train.histories).indices, minlength=len(fold.train.items)),
        n_users=len(fold.train.users),
        category=None if category is None else pd.factorize(category)[0],
    )


def _parts(lists: RankedLists, fold: Fold) -> Iterator[tuple[str, RankedLists]]:
    seen = binary_user_items(fold.users)
    n_repeat = fold.held_out.multiply(seen).sum(axis=1).astype(int)
    if n_repeat.any():
        in_history = hits_of(lists.ranked, seen)
        yield "repeat", lists.restricted_to(in_history, n_repeat)
        yield "new", lists.restricted_to(~in_history, fold.n_held_out - n_repeat)
    unsold = lists.item_users == 0
    if unsold.any():
        n_cold = fold.held_out[:, unsold].sum(axis=1).astype(int)
        yield "cold", lists.restricted_to(unsold[lists.ranked] & (lists.ranked >= 0), n_cold)


def _counts(fold: Fold, parts: Mapping[str, RankedLists]) -> dict[str, float]:
    total = int(fold.n_held_out.sum())
    return {
        "users_judged": len(fold.user_ids),
        "users_without_history": int((fold.users.lengths == 0).sum()),
        "held_out_items": total,
        "repeat_items": int(parts["repeat"].n_held_out.sum()) if "repeat" in parts else 0,
        "cold_items": total - fold.held_out.nnz,
        **({"unsold_items": int(parts["cold"].n_held_out.sum())} if "cold" in parts else {}),
        "catalogue_items": len(fold.train.items),
    }
