"""Rankings for a campaign held against what it did: uplift found, and coupons spent on sure buyers."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from omniretail.metrics.uplift import among, auuc, intervals, qini, uplift_at
from omniretail.models.uplift.protocol import both_groups
from omniretail.o2o.uplift.experiment_rows import Experiment

SHARES = (0.1, 0.2, 0.3)


def ranking_figures(
    judged: Experiment, scores: Mapping[str, np.ndarray], shares: Sequence[float] = SHARES, n_resamples: int = 500
) -> pd.DataFrame:
    """One row per ranking, best Qini first.

    Args:
        judged: rows of campaigns that no model has seen; N of them.
        scores: name -> score, the higher, the earlier sent; each of shape (N,).
        shares: of customers, for ``uplift_at``.
        n_resamples: behind the intervals.

    Returns:
        ``ranking, qini, qini_low, qini_high, auuc, auuc_low, auuc_high, uplift_at_10, …``.
    """
    rows = []
    for name, score in scores.items():
        ends = intervals(judged.y, judged.treated, score, n_resamples)
        figures = {"qini": qini(judged.y, judged.treated, score), "auuc": auuc(judged.y, judged.treated, score)}
        both = {f"{key}_{end}": ends[key][place] for key in figures for place, end in enumerate(("low", "high"))}
        at = {f"uplift_at_{100 * share:g}": uplift_at(judged.y, judged.treated, score, share) for share in shares}
        rows.append({"ranking": name, **figures, **both, **at})
    return pd.DataFrame(rows).sort_values("qini", ascending=False, ignore_index=True)


def coupon_figures(
    judged: Experiment, scores: Mapping[str, np.ndarray], shares: Sequence[float] = SHARES
) -> pd.DataFrame:
    """Where the coupons of a budget go, estimated from the random groups.

    Args:
        judged: rows of campaigns that no model has seen; N of them.
        scores: name -> score; each of shape (N,).
        shares: of customers who get a coupon.

    Returns:
        ``ranking, share, coupons, buy, buy_anyway, because``: of 100 coupons, how many go to customers who buy, who
        would have bought without, and who buy because of it; the last two add up to the first.
    """
    rows = []
    for share in shares:
        for name, score in scores.items():
            best = among(score, share)
            sent, kept = (judged.y[best & group] for group in (judged.treated, ~judged.treated))
            buy, anyway = (100 * float(each.mean()) if len(each) else np.nan for each in (sent, kept))
            facts = {"ranking": name, "share": share, "coupons": int(best.sum())}
            rows.append(facts | {"buy": buy, "buy_anyway": anyway, "because": buy - anyway})
    return pd.DataFrame(rows)


def balance(learned: Experiment, seed: int = 0) -> float:
    """AUC with which who was sent a coupon is told from the features, cross-fitted; .5 where chance alone decided.

    Raises:
        ValueError: where everybody was sent one, or nobody.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import GroupKFold, cross_val_predict

    from omniretail.metrics.classification import auc

    treated = both_groups(learned.treated)
    model = HistGradientBoostingClassifier(max_depth=3, max_iter=50, random_state=seed)
    folds = GroupKFold(n_splits=3, shuffle=True, random_state=seed)
    said = cross_val_predict(model, learned.x, treated, groups=learned.user_id, cv=folds, method="predict_proba")
    return float(auc(treated[:, None].astype(float), np.asarray(said)[:, 1:])[0])
