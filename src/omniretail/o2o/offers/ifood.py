"""iFood's last campaign: who accepted it, and what was known of them before."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.core.errors import DataError
from omniretail.schema import Tables

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
    """Customers with the features of a response model and the outcome of the last campaign.

    Args:
        tables: of ``IFood``.
        undated: add purchases, amounts, recency, web visits and complaints, which are counted up to a day that is not
            published and may lie after the campaign. Without them: who they are, since when, and earlier campaigns.

    Raises:
        DataError: where the tables are of another source.
    """
    if tables.users is None or "accepted_1" not in tables.users.columns:
        raise DataError(f"{tables.card.title} has no campaign responses per customer; choose source=ifood")
    users = tables.users.order_by("user_id").to_pandas()
    later = [name for name in users if name not in (*_BEFORE, *_OTHERS)]
    return ResponseRows(
        user_id=users["user_id"].to_numpy(),
        rows=users.reindex(columns=[*_BEFORE, *(later if undated else [])]),
        y=users["response"].to_numpy(np.float64),
        same=users["same"].to_numpy(np.int64),
    )
