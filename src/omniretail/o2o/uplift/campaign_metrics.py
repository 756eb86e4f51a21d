"""Metrics of a ranking of customers for a campaign, estimated from its random groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import GroupKFold, cross_val_predict

from omniretail.metrics.classification import auc as auc_of_columns
from omniretail.metrics.uplift import among, auuc, qini, resampled, uplift_at
from omniretail.models.uplift.protocol import both_groups
from omniretail.o2o.offers.metrics import measured as response_metrics
from omniretail.o2o.offers.metrics import require_probabilities
from omniretail.o2o.uplift.experiment_rows import Experiment
from omniretail.result import metric_rows

TREATED = "treated"
"""The group of customers who were sent the coupon."""


def measured(judged: Experiment, score: np.ndarray, shares: Sequence[float], n_resamples: int) -> dict[str, Any]:
    """The parts of a ``Result`` that hold its metrics.

    Args:
        judged: rows of a campaign after those that were learned from; N of them.
        score: the higher, the earlier a coupon is sent; shape (N,).
        shares: of customers, best first, for ``uplift_at_…`` and ``sure_things_at_…``.
        n_resamples: behind the 95 % intervals; other customers of the same campaign.

    Raises:
        SettingsError: where everybody was sent the coupon, or nobody.
    """
    outcome = judged.y, judged.treated, score
    drawn = pd.DataFrame(resampled(*outcome, n_resamples))
    low, high = (drawn.quantile(end) for end in (0.025, 0.975))
    values = {"qini": qini(*outcome), "auuc": auuc(*outcome)}
    values |= {f"uplift_at_{100 * share:g}": uplift_at(*outcome, share) for share in shares}
    sure_things = coupons(judged, score, shares).sure_things / 100
    values |= {f"sure_things_at_{100 * share:g}": each for share, each in zip(shares, sure_things, strict=True)}
    if judged.cost is not None:
        values |= {f"cost_per_response_at_{100 * share:g}": _cost(judged, score, share) for share in shares}
    return {
        "per_unit": pd.DataFrame({"treated": judged.treated, "y": judged.y, "score": score}, index=judged.rows.index),
        "metrics": metric_rows(values, "", low, high),
        "resampled": drawn,
    }


def _cost(judged: Experiment, score: np.ndarray, share: float) -> float:
    """What one additional response costs when the best-ranked share is treated; infinite where there is none."""
    assert judged.cost is not None
    gained = uplift_at(judged.y, judged.treated, score, share)
    return float(np.nanmean(judged.cost[among(score, share)]) / gained) if gained > 0 else float("inf")


def with_probabilities(
    parts: dict[str, Any], judged: Experiment, probability: np.ndarray, n_resamples: int
) -> dict[str, Any]:
    """The parts of a ``Result`` with metrics of P(buys | coupon) among those who were sent it, group ``treated``.

    Args:
        parts: from ``measured``.
        judged: N rows.
        probability: shape (N,).
        n_resamples: as in ``measured``.

    Raises:
        SettingsError: where a probability is none.
    """
    require_probabilities("the uplift model", probability)
    sent = judged.rows.index[judged.treated].to_frame(index=False)
    own = response_metrics(
        sent.assign(truth=judged.y[judged.treated].astype(np.float64), score=probability[judged.treated]), n_resamples
    )
    return {
        "per_unit": parts["per_unit"],
        "metrics": pd.concat([parts["metrics"], own["metrics"].assign(group=TREATED)], ignore_index=True),
        "resampled": parts["resampled"].join(own["resampled"].add_prefix(f"{TREATED}/")),
    }


def coupons(judged: Experiment, score: np.ndarray, shares: Sequence[float]) -> pd.DataFrame:
    """To whom 100 coupons go when the best-ranked share of customers gets one.

    Args:
        judged: N rows.
        score: shape (N,).
        shares: of customers.

    Returns:
        ``share, coupons, buy, sure_things, persuadables``: of 100 coupons, how many go to customers who buy, to those
        who would buy without it, and to those who buy because of it; the last two add up to the first.
    """
    rows = []
    for share in shares:
        best = among(score, share)
        treated, control = (judged.y[best & group] for group in (judged.treated, ~judged.treated))
        buy, sure_things = (100 * float(each.mean()) if len(each) else np.nan for each in (treated, control))
        row = {"share": share, "coupons": int(best.sum()), "buy": buy, "sure_things": sure_things}
        rows.append(row | {"persuadables": buy - sure_things})
    return pd.DataFrame(rows)


def balance(learned: Experiment, seed: int = 0) -> float:
    """AUC of a classifier that predicts from the features who was sent a coupon; cross-fitted over customers.

    It is .5 where coupons were sent at random.

    Raises:
        SettingsError: where everybody was sent one, or nobody.
    """
    treated = both_groups(learned.treated)
    model = HistGradientBoostingClassifier(max_depth=3, max_iter=50, random_state=seed)
    folds = GroupKFold(n_splits=3, shuffle=True, random_state=seed)
    customers = learned.rows.index.get_level_values("user_id")
    probability = cross_val_predict(
        model, learned.rows.to_numpy(), treated, groups=customers, cv=folds, method="predict_proba"
    )
    return float(auc_of_columns(treated[:, None].astype(float), np.asarray(probability)[:, 1:])[0])
