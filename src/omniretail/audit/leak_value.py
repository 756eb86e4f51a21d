"""What a leak is worth: the same model, trained and judged alike, with and without features that look ahead."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from omniretail.audit import leaky_features as hindsight
from omniretail.metrics.classification import auc
from omniretail.metrics.significance import holm
from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.evaluate import Response
from omniretail.o2o.offers.metrics import columns, draws, measure
from omniretail.o2o.offers.tianchi import ContestRows, contest_fold
from omniretail.schema import Tables
from omniretail.sources.tianchi_o2o import DAYS_TO_USE
from omniretail.splits.cutoff import Stage
from omniretail.views.offers.rows import OfferRows

HONEST = "nothing ahead"
LEAKS: Mapping[str, tuple[str, ...]] = {
    "later receipts": tuple(hindsight.LATER_RECEIPTS),
    "days until the next": tuple(hindsight.UNTIL_NEXT),
    "later purchases": tuple(hindsight.LATER_PURCHASES),
    "its items bought in its time": tuple(hindsight.IN_ITS_TIME),
    "and with a coupon": (*hindsight.IN_ITS_TIME, *hindsight.AT_THE_TILL),
}
"""What each leak adds."""
ALL = "all of them"
_RESAMPLES = 500


@dataclass(frozen=True)
class LeakTask:
    """Rows to learn from and to be judged on, each with columns that look ahead beside the honest ones.

    Attributes:
        learned: honest columns and those of ``LEAKS``; shape (L, F).
        y: outcomes; shape (L,).
        judged: the same columns; shape (N, F).
        honest: names of the honest ones.
        answers: ``user_id, offer_id, truth`` of the judged; shape (N, 3).
    """

    learned: pd.DataFrame
    y: np.ndarray
    judged: pd.DataFrame
    honest: Sequence[str]
    answers: pd.DataFrame


def task_of(offers: Response, tables: Tables, stage: Stage, cache: Path) -> LeakTask:
    """The contest's task where the data is the contest's, else that of the offers.

    Raises:
        DataError: where there is none.
        ValueError: where it is not said which offers are judged.
    """
    contest = tables.offers is not None and "coupon_id" in tables.offers.columns
    return contest_task(tables, stage) if contest else offer_task(offers, tables, stage, cache)


def offer_task(offers: Response, tables: Tables, stage: Stage, cache: Path) -> LeakTask:
    """Mailings as ``scripts/train.py`` judges them.

    Raises:
        DataError: where the source has no offers, or none to learn from or to judge.
    """
    fold = offers.split().cut(_with_mailings(offers.rows(tables, cache), tables), stage)
    learned, judged = fold.learned, fold.judged
    told = {"user_id": judged.user_id, "offer_id": judged.offer_id, "truth": judged.y}
    return LeakTask(learned.rows, fold.y, judged.rows, learned.columns(offers.groups), pd.DataFrame(told))


def contest_task(tables: Tables, stage: Stage) -> LeakTask:
    """The Tianchi contest's receipts.

    Raises:
        DataError: where the tables are of another source, or outcomes are not in the files.
    """
    learned, judged = contest_fold(tables, stage)
    told = {"user_id": judged.keys.user_id, "offer_id": judged.keys.coupon_id, "truth": judged.y}
    seen = [_with_receipts(part, tables) for part in (learned, judged)]
    return LeakTask(seen[0], learned.y, seen[1], list(learned.rows), pd.DataFrame(told))


def leak_value(task: LeakTask, models: Mapping[str, Callable[[], ResponseModel]]) -> pd.DataFrame:
    """Each model without a leak, with each, and with all.

    Args:
        task: from ``offer_task`` or ``contest_task``.
        models: make a fresh one, by name.

    Returns:
        ``model, ahead, auc, auc_low, auc_high, auc_per_offer, gain, gain_low, gain_high, p, judged, judged_redeemed``:
        95 % intervals from a bootstrap over customers, and p of the gain in AUC over the model without a leak, paired
        on the same customers and Holm-corrected within the model; NaN in its own row.
    """
    tables = [_of_model(name, make, task) for name, make in models.items()]
    return pd.concat(tables, ignore_index=True)


def _of_model(name: str, make: Callable[[], ResponseModel], task: LeakTask) -> pd.DataFrame:
    every = dict.fromkeys(column for leak in LEAKS.values() for column in leak)
    given = {HONEST: (), **LEAKS, ALL: tuple(every)}
    answers = {ahead: columns(_answered(make(), task, [*task.honest, *leak])) for ahead, leak in given.items()}
    found = {ahead: measure(*each) for ahead, each in answers.items()}
    table = pd.DataFrame({"model": name, "ahead": list(given)})
    for figure in ("auc", "auc_per_offer"):
        table[figure] = [each[figure] for each in found.values()]
    drawn = list(draws(task.answers, _RESAMPLES))
    resampled = np.array([[_auc(truth[rows], score[rows]) for rows in drawn] for truth, score, _ in answers.values()])
    gains = resampled - resampled[0]  # (M, R)
    table["gain"] = table.auc - table.auc[0]
    for what, values in (("auc", resampled), ("gain", gains)):
        table[f"{what}_low"], table[f"{what}_high"] = np.quantile(values, [0.025, 0.975], axis=1)
    table["p"] = _p(table.gain.to_numpy(), gains.std(axis=1, ddof=1))
    table.loc[0, ["gain", "gain_low", "gain_high"]] = np.nan
    return table.assign(judged=len(task.answers), judged_redeemed=int(task.answers.truth.sum()))


def _answered(model: ResponseModel, task: LeakTask, seen: Sequence[str]) -> pd.DataFrame:
    learned, judged = (each.reindex(columns=seen) for each in (task.learned, task.judged))
    return task.answers.assign(score=model.fit(learned, task.y).predict_proba(judged))


def _auc(truth: np.ndarray, score: np.ndarray) -> float:
    return float(auc(truth[:, None], score[:, None])[0])


def _p(gain: np.ndarray, spread: np.ndarray) -> np.ndarray:
    p = 2 * stats.norm.sf(np.abs(gain) / np.where(spread > 0, spread, np.inf))
    p[1:], p[0] = holm(p[1:]), np.nan
    return p


def _with_mailings(rows: OfferRows, tables: Tables) -> OfferRows:
    """The rows with what was still ahead when each was sent, the whole log known."""
    asked = {"user_id": rows.user_id, "offer_id": rows.offer_id, "at": rows.sent_at, "ends_at": rows.ends_at}
    receipts = hindsight.receipts_ahead(rows.user_id, rows.rows["kind"].to_numpy(), rows.sent_at)
    purchases = hindsight.purchases_ahead(pd.DataFrame(asked), tables)
    return replace(rows, rows=pd.concat([rows.rows, receipts, purchases], axis=1))


def _with_receipts(found: ContestRows, tables: Tables) -> pd.DataFrame:
    """The same for the contest's receipts; of receipts only those of the window, which is what contestants had."""
    keys = found.keys
    at = keys.received.to_numpy()
    offer = keys.coupon_id.astype(str) + "@" + keys.received.dt.strftime("%Y%m%d")
    ends = at + np.timedelta64(DAYS_TO_USE + 1, "D")
    asked = pd.DataFrame({"user_id": keys.user_id, "offer_id": offer, "at": at, "ends_at": ends})
    receipts = hindsight.receipts_ahead(keys.user_id.to_numpy(), keys.coupon_id.to_numpy(), at)
    return pd.concat([found.rows, receipts, hindsight.purchases_ahead(asked, tables)], axis=1)
