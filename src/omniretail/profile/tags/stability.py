"""How many customers have a tag, and how many keep it from one month to the next."""

import numpy as np
import pandas as pd

from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags.thresholds import LearnedTags
from omniretail.views.histories import Histories

_DAY_S = 24 * 3600


def earlier(profile: ProfileTable, users: Histories, at: int, days: float = 28) -> tuple[pd.DataFrame, np.ndarray]:
    """The same customers, looked at earlier and knowing nothing of what came after.

    Args:
        profile: fitted.
        users: histories of B customers.
        at: the moment of the later look, seconds since 1970.
        days: how much earlier.

    Returns:
        The profile table of that moment, shape (B, F), and who was a customer by then, shape (B,).
    """
    moment = int(at - days * _DAY_S)
    then = users.keep(users.timestamp < moment)
    return profile.table(then, moment), then.lengths > 0


def stability(learned: LearnedTags, now: pd.DataFrame, then: pd.DataFrame, known: np.ndarray) -> pd.DataFrame:
    """Share and steadiness of each tag; the thresholds are the same at both looks.

    Args:
        learned: the tags.
        now: profile table of B customers; shape (B, F).
        then: of the same customers at an earlier moment; shape (B, F).
        known: who was a customer at the earlier moment; only they are compared; shape (B,).

    Returns:
        A row per tag: ``customers`` tagged now, their ``share`` of all B, how many were tagged ``before``, the share of
        those who still are (``kept``), and the Jaccard index of the two sets of customers (``jaccard``). NaN where
        nobody was tagged.
    """
    tagged, before = learned.apply(now), learned.apply(then)[known]
    of_known = tagged[known]
    both, either = (of_known & before).sum(), (of_known | before).sum()
    figures = {
        "customers": tagged.sum(),
        "share": tagged.mean() if len(tagged) else tagged.sum() * np.nan,
        "before": before.sum(),
        "kept": both / before.sum().where(before.any()),
        "jaccard": both / either.where(either > 0),
    }
    return pd.DataFrame(figures).rename_axis("tag")
