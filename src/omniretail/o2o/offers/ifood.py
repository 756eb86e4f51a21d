"""iFood's last campaign: who answered it, what was known of them before, and how well models tell them apart."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.figures import figures_of
from omniretail.schema import DataError, Tables

_BEFORE = (
    *("birth_year", "education", "marital_status", "income", "kids", "teens", "tenure_days"),
    *(f"accepted_{campaign}" for campaign in range(1, 6)),
)
_OTHERS = ("user_id", "joined", "same", "response")


@dataclass(frozen=True)
class ResponseRows:
    """N customers, ordered by id.

    Attributes:
        user_id: raw ids; shape (N,).
        rows: features; shape (N, F).
        y: 1 where they accepted the last campaign, else 0; shape (N,).
        same: equal for rows that differ in id and response alone, which belong into one fold; shape (N,).
    """

    user_id: np.ndarray
    rows: pd.DataFrame
    y: np.ndarray
    same: np.ndarray


def response_rows(tables: Tables, undated: bool = False) -> ResponseRows:
    """The last campaign as a task for response models.

    Args:
        tables: of ``IFood``.
        undated: add purchases, amounts, recency, web visits and complaints, which are counted up to a day that is not
            published and may lie after the campaign. Without them: who they are, since when, and earlier campaigns.

    Raises:
        DataError: where the tables are of another source.
    """
    if tables.users is None or "accepted_1" not in tables.users.columns:
        raise DataError(f"{tables.card.title} knows no campaign responses; choose source=ifood")
    users = tables.users.order_by("user_id").to_pandas()
    later = [name for name in users if name not in (*_BEFORE, *_OTHERS)]
    return ResponseRows(
        user_id=users["user_id"].to_numpy(),
        rows=users.reindex(columns=[*_BEFORE, *(later if undated else [])]),
        y=users["response"].to_numpy(np.float64),
        same=users["same"].to_numpy(np.int64),
    )


def cross_fitted(
    model: Callable[[], ResponseModel], asked: ResponseRows, n_folds: int = 5, n_times: int = 5, seed: int = 1
) -> np.ndarray:
    """Probabilities of customers by models that have not seen them, the mean over several ways to deal the folds.

    Args:
        model: makes a fresh one.
        asked: rows and outcomes.
        n_folds: into which sets of like rows are dealt, whole.
        n_times: how often they are dealt.
        seed: of the dealing.

    Returns:
        Shape (N,).
    """
    rng = np.random.default_rng(seed)
    said = np.zeros(len(asked.y))
    for _ in range(n_times):
        fold = _dealt(asked, n_folds, rng)
        for held_out in range(n_folds):
            inside = fold == held_out
            learned, answered = (asked.rows.loc[part].reset_index(drop=True) for part in (~inside, inside))
            said[inside] += model().fit(learned, asked.y[~inside]).predict_proba(answered) / n_times
    return said


def _dealt(asked: ResponseRows, n_folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each row, with acceptances spread evenly: else a fold's own rate speaks through the others'."""
    sets, of_row = np.unique(asked.same, return_inverse=True)
    rate = np.bincount(of_row, asked.y) / np.bincount(of_row)
    fold = np.empty(len(sets), dtype=np.int64)
    fold[np.lexsort((rng.random(len(sets)), rate))] = np.arange(len(sets)) % n_folds
    return fold[of_row]


def examine(model: Callable[[], ResponseModel], asked: ResponseRows) -> pd.DataFrame:
    """``figure, value, low, high`` of the cross-fitted answers; see ``OfferResult``."""
    answers = pd.DataFrame(
        {"user_id": asked.user_id, "offer_id": 6, "truth": asked.y, "score": cross_fitted(model, asked)}
    )
    return figures_of(answers)  # of one offer, so AUC and AUC per offer are one
