"""Single customers on whom two models differ most, with what each would have shown them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from omniretail.metrics.names import label, lower_is_better
from omniretail.report.tables.comparison import shown_metrics
from omniretail.report.tables.format import figure
from omniretail.result import Result

N_CUSTOMERS = 4
"""Shown on either side."""


def single_users(table: pd.DataFrame, results: Mapping[str, Result], lists: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The customers whom the best model serves much better than the runner-up, and the other way round, as text.

    Args:
        table: from ``comparison``.
        results: one per name of the table.
        lists: example lists of the two, by name; columns ``user_id, recommended, hits, held_out``.

    Returns:
        A row per customer, the largest difference in the best model's favour first; a hit has a tick.
    """
    one, other = map(str, table.index[:2])
    primary = shown_metrics(table)[0]
    own = {name: lists[name].set_index("user_id") for name in (one, other)}
    scores = {name: _by_text(results[name].per_unit.loc[:, primary]) for name in (one, other)}
    gap = (scores[one] - scores[other]).reindex(own[one].index.intersection(own[other].index)).dropna()
    gap = pd.Series(gap).sort_values(ascending=lower_is_better(primary), kind="stable")
    better, worse = gap.loc[gap > 0], gap.loc[gap < 0]
    ordered = (worse, better) if lower_is_better(primary) else (better, worse)
    chosen = [*ordered[0].index[:N_CUSTOMERS], *ordered[1].index[-N_CUSTOMERS:]]
    rows = [_row(str(user), [one, other], own, scores, label(primary)) for user in chosen]
    return pd.DataFrame(rows)


def _by_text(values: pd.Series) -> pd.Series:
    return values.set_axis(values.index.astype(str), axis="index")


def _row(
    user: str, names: Sequence[str], lists: Mapping[str, pd.DataFrame], scores: Mapping[str, pd.Series], metric: str
) -> dict[str, str]:
    row = {"customer": user, "took, 20 items at most": "; ".join(lists[names[0]].loc[user, "held_out"])}
    for name in names:
        items = zip(lists[name].loc[user, "recommended"], lists[name].loc[user, "hits"], strict=True)
        row[name] = "; ".join(f"✓ {item}" if hit else str(item) for item, hit in items)
        row[f"{metric} of {name}"] = figure(float(np.asarray(scores[name].loc[user])))
    return row
