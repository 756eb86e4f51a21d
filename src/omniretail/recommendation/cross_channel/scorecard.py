"""From values per customer to the scorecard: one channel against both, and where the other one hurts."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from omniretail.metrics.significance import ALPHA, bootstrap_interval, holm, paired_test

ALL, NEW, FEW, MANY = "all", "new_here", "few_here", "many_here"
IN_BOTH, IN_ONE = "in_both_channels", "in_this_one_only"
METRICS = ("ndcg_alone", "ndcg_both", "hit_rate_alone", "hit_rate_both")


def scorecard(values: pd.DataFrame) -> pd.DataFrame:
    """One row per protocol and group of customers; see ``members`` for the groups.

    Args:
        values: the rows of ``CrossChannel.per_customer``.

    Returns:
        ``protocol, group, customers``; ``ndcg`` and ``hit_rate``, each ``…_alone`` and ``…_both``, with ``…_low`` and
        ``…_high`` after it (95 %, bootstrap over customers); ``gain`` in NDCG and its ends; ``p`` of the paired t-test
        that the two differ, and ``p_holm``, corrected over the protocols of the same group.
    """
    card = pd.DataFrame(list(_rows(values)))
    corrected = card.groupby("group", sort=False).p.transform(lambda p: holm(p.to_numpy()))
    return card.assign(p_holm=corrected)


def members(part: pd.DataFrame) -> dict[str, pd.Series]:
    """Which rows of one protocol belong to which group, as masks.

    ``all``; ``few_here`` and ``many_here``, up to the median of events in the target and above it; ``in_both_channels``
    and ``in_this_one_only``, where there are both kinds; ``new_here``, whose events in the target were forgotten.
    """
    present, elsewhere = ~part.new, part.n_other > 0
    few = part.n_target <= part.n_target[present].median()
    by_channel = {IN_BOTH: present & elsewhere, IN_ONE: present & ~elsewhere}
    distinct = by_channel if all(belongs.any() for belongs in by_channel.values()) else {}
    groups = {ALL: present, FEW: present & few, MANY: present & ~few, **distinct, NEW: part.new}
    return {name: belongs for name, belongs in groups.items() if belongs.any()}


def warnings(card: pd.DataFrame, target: str, model: str) -> list[str]:
    """A sentence for every row in which the other channel makes the lists significantly worse."""
    worse = pd.DataFrame(card[(card.gain < 0) & (card.p_holm < ALPHA)])
    return [
        f"WARNING: the other channel hurts {target}: {model}, {row['group']} ({row['customers']:,} customers), "
        f"{row['protocol']}: NDCG@10 {row['ndcg_alone']:.4f} alone, {row['ndcg_both']:.4f} with both "
        f"(p {row['p_holm']:.3f})".replace("_", " ")
        for row in worse.to_dict("records")
    ]


def verdict(card: pd.DataFrame) -> list[str]:
    """Per protocol, whether both channels are better than the target alone, over all customers."""
    return [
        f"{row['protocol']}: NDCG@10 {row['ndcg_both']:.4f} with both channels, {row['ndcg_alone']:.4f} with "
        f"the target alone ({_difference(row)}, p {row['p_holm']:.3f}).".replace("_", " ")
        for row in pd.DataFrame(card[card.group == ALL]).to_dict("records")
    ]


def _difference(row: dict) -> str:
    if row["p_holm"] >= ALPHA:
        return "no significant difference"
    return "significantly better" if row["gain"] > 0 else "significantly worse"


def _rows(values: pd.DataFrame) -> Iterator[dict]:
    for protocol, part in values.groupby("protocol", sort=False):
        for group, belongs in members(part).items():
            yield {
                "protocol": protocol,
                "group": group,
                "customers": int(belongs.sum()),
                **_metrics(pd.DataFrame(part[belongs])),
            }


def _metrics(inside: pd.DataFrame) -> dict[str, float]:
    values = inside[list(METRICS)].assign(gain=inside.ndcg_both - inside.ndcg_alone)
    low, high = bootstrap_interval(values.to_numpy(np.float64), n_resamples=1000)
    row = {}
    for place, (name, mean) in enumerate(values.mean().items()):
        row |= {str(name): float(mean), f"{name}_low": float(low[place]), f"{name}_high": float(high[place])}
    return row | {"p": paired_test(inside.ndcg_both, inside.ndcg_alone)}
