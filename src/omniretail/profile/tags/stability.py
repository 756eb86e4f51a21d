"""Stability of tags: how many customers have a tag, and how many still have it one period later."""

import numpy as np
import pandas as pd

from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.views.histories import Histories

_DAY_S = 24 * 3600


def earlier_table(
    profile: ProfileTable, users: Histories, at: int, days: float = 28
) -> tuple[pd.DataFrame, np.ndarray]:
    """The same customers some days earlier, without any later event.

    Args:
        profile: fitted.
        users: histories of B customers.
        at: the later cutoff, seconds since 1970.
        days: how much earlier.

    Returns:
        The profile table at the earlier cutoff, shape (B, F); and a mask of those who had events by then, shape (B,).
    """
    earlier_at = int(at - days * _DAY_S)
    earlier = users.keep(users.timestamp < earlier_at)
    return profile.table(earlier, earlier_at), earlier.lengths > 0


def stability(learned: LearnedTags, later: pd.DataFrame, earlier: pd.DataFrame, present: np.ndarray) -> pd.DataFrame:
    """Share and stability of each tag; the thresholds are the same at both cutoffs.

    Args:
        learned: the tags.
        later: profile table of B customers; shape (B, F).
        earlier: of the same customers at an earlier cutoff; shape (B, F).
        present: mask of those who had events at the earlier cutoff; only they are compared; shape (B,).

    Returns:
        A row per tag: ``customers`` tagged at the later cutoff, their ``share`` of all B, ``tagged_before`` at the
        earlier one, the share of those who still are (``retained``), and the Jaccard index of both sets of customers
        (``jaccard``). NaN where nobody was tagged.
    """
    tagged, before = learned.apply(later), learned.apply(earlier)[present]
    after = tagged[present]
    both, either = (after & before).sum(), (after | before).sum()
    columns = {
        "customers": tagged.sum(),
        "share": tagged.mean() if len(tagged) else tagged.sum() * np.nan,
        "tagged_before": before.sum(),
        "retained": both / before.sum().where(before.any()),
        "jaccard": both / either.where(either > 0),
    }
    return pd.DataFrame(columns).rename_axis("tag")
