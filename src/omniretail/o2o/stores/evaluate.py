"""Store models held against the visits to come: a value per customer, then a table with intervals and tests."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from omniretail.metrics.significance import bootstrap_interval, holm, paired_test
from omniretail.models.stores.protocol import StoreModel
from omniretail.views.stores.visit_log import DAY, StoreLog, VisitQueries

FIGURES = ("accuracy", "mrr", "recall_at_3")
TESTED = ("accuracy", "mrr")
QUESTIONS = {
    "first visit": (True, False),
    "first visit, moment given": (True, True),
    "all visits": (False, False),
    "all visits, moment given": (False, True),
}
"""Whether only each customer's first visit is asked for, and whether its moment is given."""
ALL, ONE, SEVERAL, NONE = "all", "one store", "several stores", "no visit of late"
GROUP_DAYS = 91


def per_customer(scores: np.ndarray, asked: VisitQueries) -> pd.DataFrame:
    """Mean over each customer's visits of: the first store is right; one over the right one's place; it is in three.

    Of equal scores the lower number comes first. A store that nobody knew is never found.

    Args:
        scores: of Q visits, higher is likelier; shape (Q, S).
        asked: the Q visits.

    Returns:
        ``accuracy, mrr, recall_at_3``, indexed by customer.

    Raises:
        ValueError: where a score is not finite.
    """
    if not np.isfinite(scores).all():
        raise ValueError("a score of a store is not finite; lower the learning rate, or look for an empty history")
    store = asked.visits.store
    own = scores[np.arange(len(store)), np.maximum(store, 0)][:, None]
    before = (scores > own) | ((scores == own) & (np.arange(scores.shape[1]) < store[:, None]))
    place = np.where(store >= 0, before.sum(axis=1) + 1.0, np.inf)
    values = {"accuracy": place == 1, "mrr": 1 / place, "recall_at_3": place <= 3}
    return pd.DataFrame(pd.DataFrame(values).astype(float).groupby(pd.Index(asked.who, name="customer")).mean())


def groups(log: StoreLog, asked: VisitQueries, days: float = GROUP_DAYS) -> pd.Series:
    """By how many stores each customer asked about visited of late; indexed by customer."""
    recent = log.visits.keep(log.visits.timestamp >= log.at - days * DAY)
    pairs = np.unique(np.stack([recent.row, recent.store], axis=1), axis=0)
    count = np.append(np.bincount(pairs[:, 0], minlength=log.n_users), 0)  # the last for who is not known
    first = asked.first()
    names = np.array([NONE, ONE, SEVERAL])[np.minimum(count[first.visits.row], 2)]
    return pd.Series(names, index=pd.Index(first.who, name="customer"))


def examine(models: Mapping[str, StoreModel], log: StoreLog, asked: VisitQueries) -> pd.DataFrame:
    """Ask fitted models all four questions.

    Returns:
        ``question, model, group`` and the figures, one row per customer, question and model, indexed by customer.

    Raises:
        ValueError: as ``per_customer``.
    """
    of, parts = groups(log, asked), []
    for question, (first, timed) in QUESTIONS.items():
        told = asked.first() if first else asked
        for name, model in models.items():
            found = per_customer(model.score(told, timed), told)
            parts.append(found.assign(question=question, model=name, group=of))
    return pd.concat(parts)


def store_table(values: pd.DataFrame) -> pd.DataFrame:
    """One row per question, group and model, the best MRR first.

    Args:
        values: from ``examine``.

    Returns:
        ``question, group, model, customers``; each figure, ``…_low`` and ``…_high`` (95 %, bootstrap over customers);
        ``accuracy_p`` and ``mrr_p``: how likely luck alone would set the model and the question's best so far apart
        (paired t-test, Holm over its models), NaN for the best.
    """
    whole = pd.concat([values.assign(group=ALL), values])
    cases = whole[["question", "group"]].drop_duplicates().itertuples(index=False, name=None)
    parts = []
    for question, group in cases:
        part = _compared(pd.DataFrame(whole[(whole.question == question) & (whole.group == group)]))
        part.insert(0, "question", question)
        part.insert(1, "group", group)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _compared(part: pd.DataFrame) -> pd.DataFrame:
    values = {name: part[part.model == name] for name in part.model.unique()}
    table = pd.DataFrame({"model": list(values), "customers": [len(each) for each in values.values()]})
    for figure in FIGURES:
        wide = pd.DataFrame({name: each[figure] for name, each in values.items()})
        low, high = bootstrap_interval(wide.to_numpy())
        table[figure], table[f"{figure}_low"], table[f"{figure}_high"] = wide.mean().to_numpy(), low, high
        if figure in TESTED:
            table[f"{figure}_p"] = _p_best(wide)
    return table.sort_values("mrr", ascending=False, kind="stable")


def _p_best(values: pd.DataFrame) -> np.ndarray:
    best = int(values.mean().to_numpy().argmax())
    others = np.arange(values.shape[1]) != best
    p = np.array([paired_test(values.iloc[:, number], values.iloc[:, best]) for number in range(values.shape[1])])
    p[others], p[best] = holm(p[others]), np.nan
    return p
