"""From values per customer to the scorecard: one channel against both, and where the other one hurts."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from omniretail.metrics.significance import bootstrap_interval, holm, paired_test

ALL, NEW, FEW, MANY = "all", "new here", "few here", "many here"
IN_BOTH, IN_ONE = "in both channels", "in this one only"
_METRICS = ("ndcg", "hit_rate")


def scorecard(judged: Mapping[tuple[str, str, str], pd.DataFrame]) -> pd.DataFrame:
    """One row per direction, model, protocol and group of customers.

    Groups: ``all``; ``few here`` and ``many here``, up to the median of events known in the target and above it;
    ``in both channels`` and ``in this one only``, where there are both kinds; ``new here``, whose events in the target
    were forgotten.

    Args:
        judged: (target, other, model) -> the rows of ``ChannelExamination.take``.

    Returns:
        ``direction, target, other, model, protocol, group, users``; ``ndcg`` and ``hit_rate``, each ``…_alone`` and
        ``…_both``, with ``…_low`` and ``…_high`` after it (95 %, bootstrap over customers); ``gain`` in NDCG and its
        ends; ``p`` of the paired t-test that the two differ, and ``p_holm``, corrected over all rows of the same group.
    """
    rows = [
        {"direction": f"{other} → {target}", "target": target, "other": other, "model": model, **row}
        for (target, other, model), frame in judged.items()
        for row in _rows(frame)
    ]
    card = pd.DataFrame(rows)
    corrected = card.groupby("group", sort=False).p.transform(lambda p: holm(p.to_numpy()))
    return card.assign(p_holm=corrected)


def _rows(frame: pd.DataFrame) -> Iterator[dict]:
    for protocol, part in frame.groupby("protocol", sort=False):
        for group, belongs in _groups(pd.DataFrame(part)).items():
            if belongs.any():
                figures = _figures(pd.DataFrame(part[belongs]))
                yield {"protocol": protocol, "group": group, "users": int(belongs.sum()), **figures}


def _groups(part: pd.DataFrame) -> dict[str, pd.Series]:
    """Who belongs to which group; masks of the rows."""
    known, elsewhere = ~part.new, part.n_other > 0
    few = part.n_target <= part.n_target[known].median()
    by_channel = {IN_BOTH: known & elsewhere, IN_ONE: known & ~elsewhere}
    told_apart = by_channel if all(belongs.any() for belongs in by_channel.values()) else {}
    return {ALL: known, FEW: known & few, MANY: known & ~few, **told_apart, NEW: part.new}


def _figures(members: pd.DataFrame) -> dict[str, float]:
    named = [f"{metric}_{known}" for metric in _METRICS for known in ("alone", "both")]
    values = members[named].assign(gain=members.ndcg_both - members.ndcg_alone)
    low, high = bootstrap_interval(values.to_numpy(np.float64), n_resamples=1000)
    found = {}
    for place, (name, mean) in enumerate(values.mean().items()):
        found |= {str(name): float(mean), f"{name}_low": float(low[place]), f"{name}_high": float(high[place])}
    return found | {"p": paired_test(members.ndcg_both, members.ndcg_alone)}
