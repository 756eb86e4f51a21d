"""What a leak is worth: the same response model with and without features from after the time of sending."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.audit import leaky_features as leaky
from omniretail.metrics.classification import auc
from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.evaluate import Response
from omniretail.o2o.offers.metrics import columns, draws, ranking
from omniretail.o2o.offers.tianchi import ContestRows, contest_fold
from omniretail.result import Result, metric_rows
from omniretail.schema import Tables
from omniretail.sources.tianchi_o2o import DAYS_TO_USE
from omniretail.splits.cutoff import Stage
from omniretail.views.offers.rows import OfferRows

NO_LEAK = "no leak"
LEAKS: Mapping[str, tuple[str, ...]] = {
    "later offers": tuple(leaky.LATER_RECEIPTS),
    "days until the next offer and purchase": tuple(leaky.UNTIL_NEXT),
    "later visits": tuple(leaky.LATER_PURCHASES),
    "offered items bought in the offer's time": tuple(leaky.IN_ITS_TIME),
    "offered items bought with a coupon": (*leaky.IN_ITS_TIME, *leaky.AT_THE_TILL),
}
"""The features that each leak adds."""
ALL_LEAKS = "all leaks"
_N_RESAMPLES = 500


@dataclass(frozen=True)
class LeakTask:
    """Mailings to learn from and to judge by, with leaky features beside the honest ones.

    Attributes:
        learned: honest features and those of ``LEAKS``; shape (L, F).
        y: outcomes; shape (L,).
        judged: the same features; shape (N, F).
        honest: names of the honest features.
        labels: ``user_id, offer_id, truth`` of the judged mailings; shape (N, 3).
        stage: at which they are judged.
        protocol: see ``Result``.
    """

    learned: pd.DataFrame
    y: np.ndarray
    judged: pd.DataFrame
    honest: Sequence[str]
    labels: pd.DataFrame
    stage: Stage
    protocol: Mapping[str, str]


def leak_task(response: Response, tables: Tables, stage: Stage, cache: Path) -> LeakTask:
    """The task of the Tianchi contest where the data is the contest's, else the response task.

    Raises:
        DataError: where the source has no offers, or none to learn from or to judge by.
    """
    contest = tables.offers is not None and "coupon_id" in tables.offers.columns
    return contest_task(tables, stage) if contest else mailing_task(response, tables, stage, cache)


def mailing_task(response: Response, tables: Tables, stage: Stage, cache: Path) -> LeakTask:
    """Mailings as the response task divides them.

    Raises:
        DataError: where the source has no offers, or none to learn from or to judge by.
    """
    split = response.split()
    fold = split.cut(_with_leaks(response.rows(tables, cache), tables), stage)
    learned, judged = fold.learned, fold.judged
    labels = pd.DataFrame({"user_id": judged.user_id, "offer_id": judged.offer_id, "truth": judged.y})
    honest = learned.columns(response.groups)
    return LeakTask(learned.rows, fold.y, judged.rows, honest, labels, stage, _protocol(tables, stage, str(split)))


def contest_task(tables: Tables, stage: Stage) -> LeakTask:
    """Receipts as the Tianchi contest divides them.

    Raises:
        DataError: where the tables are of another source, or the files lack outcomes.
    """
    learned, judged = contest_fold(tables, stage)
    labels = pd.DataFrame({"user_id": judged.keys.user_id, "offer_id": judged.keys.coupon_id, "truth": judged.y})
    rows = [_receipts_with_leaks(part, tables) for part in (learned, judged)]
    protocol = _protocol(tables, stage, "the contest's windows")
    return LeakTask(rows[0], learned.y, rows[1], list(learned.rows), labels, stage, protocol)


def leak_value(task: LeakTask, models: Mapping[str, Callable[[], ResponseModel]]) -> dict[str, list[Result]]:
    """Evaluate each model without a leak, with each leak, and with all of them.

    Args:
        task: from ``leak_task``.
        models: name -> function that makes a new model.

    Returns:
        Name of the model -> one result per leak, whose ``model`` is the leak. Metrics are ``auc``, ``gain`` (over
        the model without a leak) and ``auc_per_offer``; intervals and ``resampled`` are from a bootstrap of customers.
    """
    return {name: _results(name, make, task) for name, make in models.items()}


def _results(name: str, make: Callable[[], ResponseModel], task: LeakTask) -> list[Result]:
    every = tuple(dict.fromkeys(column for leak in LEAKS.values() for column in leak))
    features = {NO_LEAK: (), **LEAKS, ALL_LEAKS: every}
    rows = list(draws(task.labels, _N_RESAMPLES))
    results: list[Result] = []
    for leak, leaking in features.items():
        predictions = _predictions(make(), task, [*task.honest, *leaking])
        resampled = np.array([_auc(predictions.iloc[drawn]) for drawn in rows])  # (R,)
        result = Result(
            model=leak,
            stage=task.stage,
            task="leak_value",
            per_unit=predictions.set_index(["user_id", "offer_id"]),
            metrics=_metrics(predictions, resampled, results[0] if results else None),
            resampled=pd.DataFrame({"auc": resampled}),
            protocol={**task.protocol, "response_model": name},
            counts={"judged": len(predictions), "judged_redeemed": int(predictions.truth.sum())},
        )
        results.append(result)
    return results


def _metrics(predictions: pd.DataFrame, resampled: np.ndarray, no_leak: Result | None) -> pd.DataFrame:
    whole = ranking(*columns(predictions))
    values, drawn = {"auc": whole["auc"], "gain": float("nan")}, {"auc": resampled}
    if no_leak is not None:
        values["gain"] = whole["auc"] - no_leak.value("auc")
        drawn["gain"] = resampled - no_leak.resampled.auc.to_numpy()
    low, high = ({name: float(np.quantile(each, end)) for name, each in drawn.items()} for end in (0.025, 0.975))
    return metric_rows({**values, "auc_per_offer": whole["auc_per_offer"]}, low=low, high=high)


def _predictions(model: ResponseModel, task: LeakTask, features: Sequence[str]) -> pd.DataFrame:
    learned, judged = (rows.reindex(columns=features) for rows in (task.learned, task.judged))
    return task.labels.assign(score=model.fit(learned, task.y).predict_proba(judged))


def _auc(predictions: pd.DataFrame) -> float:
    truth, score = (predictions[name].to_numpy(np.float64) for name in ("truth", "score"))
    return float(auc(truth[:, None], score[:, None])[0])


def _protocol(tables: Tables, stage: Stage, split: str) -> dict[str, str]:
    about = {"source": tables.card.title, "data": tables.version, "split": split}
    return {**about, "stage": stage, "task": "leak_value"}


def _with_leaks(rows: OfferRows, tables: Tables) -> OfferRows:
    """The rows with features of the time after each was sent."""
    mailings = {"user_id": rows.user_id, "offer_id": rows.offer_id, "at": rows.sent_at, "ends_at": rows.ends_at}
    receipts = leaky.receipts_ahead(rows.user_id, rows.rows["kind"].to_numpy(), rows.sent_at)
    purchases = leaky.purchases_ahead(pd.DataFrame(mailings), tables)
    return replace(rows, rows=pd.concat([rows.rows, receipts, purchases], axis=1))


def _receipts_with_leaks(rows: ContestRows, tables: Tables) -> pd.DataFrame:
    """The same for the contest; of later receipts only those of the window count, as contestants had them."""
    keys = rows.keys
    at = keys.received.to_numpy()
    offer = keys.coupon_id.astype(str) + "@" + keys.received.dt.strftime("%Y%m%d")
    ends = at + np.timedelta64(DAYS_TO_USE + 1, "D")
    mailings = pd.DataFrame({"user_id": keys.user_id, "offer_id": offer, "at": at, "ends_at": ends})
    receipts = leaky.receipts_ahead(keys.user_id.to_numpy(), keys.coupon_id.to_numpy(), at)
    return pd.concat([rows.rows, receipts, leaky.purchases_ahead(mailings, tables)], axis=1)
