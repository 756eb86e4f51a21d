"""How each customer reacted to earlier mailings and promotions, and how much they buy without them."""

import numpy as np
import pandas as pd
from ibis import _

from omniretail.core.times import epoch_seconds
from omniretail.schema import Tables
from omniretail.views.histories import Histories
from omniretail.views.train import Train

_WEEK_S = 7 * 24 * 3600
_PRIOR_VISITS, _PRIOR_WEEKS, _PRIOR_LINES = 0.5, 1.0, 10
_NO_AMOUNT = 1e-3


def reaction_features(tables: Tables, train: Train, offer_id: object, past: pd.DataFrame) -> pd.DataFrame:
    """Features of U customers as of a campaign's start, from the log before it alone.

    Shares are smoothed by a few lines or mailings of the average customer, since most customers have few.

    Args:
        tables: with offers and their events.
        train: the log before the campaign's start.
        offer_id: of the campaign.
        past: campaigns that were over when it began: ``offer_id, start, end``.

    Returns:
        ``mailings, redemptions, redemption_share``; visits and campaigns with a visit while mailed and while not, and
        the number of the latter; ``pace``, visits a week while not mailed; ``reaction``, logarithm of the visits while
        mailed over those expected at this pace; ``promoted_share``, of lines with a discount that is no coupon's;
        ``interest``, share of lines with offered items; shape (U, 11).
    """
    histories = train.histories.purchases()
    row, time = _visits(histories)
    first = np.full(len(histories), np.iinfo(np.int64).max)
    np.minimum.at(first, row, time)
    campaigns = _while_mailed(tables, train, past, (row, time), first)
    redemptions = _redemptions(tables, train)
    weeks = np.where(first < train.at, (train.at - first) / _WEEK_S, 0) - campaigns.pop("mailed_weeks")
    n_visits = np.bincount(row, minlength=len(histories))
    without = n_visits - campaigns["visits_mailed"]
    pace = (without + _PRIOR_VISITS) / (np.maximum(weeks, 0) + _PRIOR_WEEKS)
    expected = campaigns.pop("weeks_per_mailing") * campaigns["mailings"] * pace
    return pd.DataFrame(
        {
            **campaigns,
            "redemptions": redemptions,
            "redemption_share": _smoothed(redemptions, campaigns["mailings"], 1),
            "pace": pace,
            "reaction": np.log((campaigns["visits_mailed"] + 1) / (expected + 1)),
            "promoted_share": _share(histories, _promoted(histories)),
            "interest": _share(histories, offered_items(tables, train, offer_id)[histories.item_idx]),
        }
    )


def _while_mailed(
    tables: Tables, train: Train, past: pd.DataFrame, visits: tuple[np.ndarray, np.ndarray], first: np.ndarray
) -> dict[str, np.ndarray]:
    """Mailings of each customer, and what they did while mailed and while not; each of shape (U,)."""
    (row, time), n = visits, len(first)
    sums = {name: np.zeros(n) for name in _SUMS}
    for offer in past.to_dict("records"):
        start, end = epoch_seconds(offer["start"]), epoch_seconds(offer["end"])
        n_visits = np.bincount(row[(time >= start) & (time < end)], minlength=n)
        mailed = np.isin(np.arange(n), _mailed(tables, train, offer["offer_id"]))
        groups = {"mailed": mailed, "unmailed": ~mailed & (first < start)}
        for name, group in groups.items():
            sums[f"visits_{name}"] += n_visits * group
            sums[f"bought_{name}"] += (n_visits > 0) & group
        sums["mailings"] += mailed
        sums["unmailed_campaigns"] += groups["unmailed"]
        sums["mailed_weeks"] += mailed * (end - start) / _WEEK_S
    return sums | {"weeks_per_mailing": sums["mailed_weeks"] / np.maximum(sums["mailings"], 1)}


_SUMS = (
    "mailings",
    "visits_mailed",
    "bought_mailed",
    "unmailed_campaigns",
    "visits_unmailed",
    "bought_unmailed",
    "mailed_weeks",
)


def _visits(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """Customer and time of each visit."""
    rows = histories.rows
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (np.diff(rows) != 0) | (np.diff(histories.basket) != 0)
    return rows[new], histories.timestamp[new]


def _mailed(tables: Tables, train: Train, offer_id: object) -> np.ndarray:
    """The customers who were sent a campaign's coupon, as indices."""
    assert tables.offer_events is not None
    sent = tables.offer_events.filter(_.event_type == "sent", _.offer_id == offer_id)
    return train.users.encode(sent.select("user_id").distinct().to_pandas().user_id.to_numpy())


def _redemptions(tables: Tables, train: Train) -> np.ndarray:
    """Coupons that each customer used before the cutoff; shape (U,)."""
    assert tables.offer_events is not None
    used = tables.offer_events.filter(_.event_type == "redeemed", _.timestamp.epoch_seconds() < train.at)
    user = train.users.encode(used.select("user_id").to_pandas().user_id.to_numpy())
    return np.bincount(user[user >= 0], minlength=len(train.users)).astype(np.float64)


def _promoted(histories: Histories) -> np.ndarray:
    """True for lines with a discount that no coupon explains; shape (E,)."""
    discount, coupon = (np.nan_to_num(getattr(histories, name)) for name in ("discount", "coupon"))
    return discount - coupon > _NO_AMOUNT


def offered_items(tables: Tables, train: Train, offer_id: object) -> np.ndarray:
    """True for the items that a campaign covers; shape (I,)."""
    offered = np.zeros(len(train.items), dtype=bool)
    if tables.offer_items is not None:
        covered = tables.offer_items.filter(_.offer_id == offer_id).item_id.to_pandas().to_numpy()
        numbers = train.items.encode(covered)
        offered[numbers[numbers >= 0]] = True
    return offered


def _share(histories: Histories, hit: np.ndarray) -> np.ndarray:
    """Smoothed share of each customer's lines; shape (U,)."""
    hits = np.bincount(histories.rows, hit.astype(np.float64), len(histories))
    return _smoothed(hits, histories.lengths, _PRIOR_LINES)


def _smoothed(hits: np.ndarray, trials: np.ndarray, prior: float) -> np.ndarray:
    """Share of hits, with ``prior`` trials of the average customer; shape (U,)."""
    average = hits.sum() / max(trials.sum(), 1)
    return (hits + prior * average) / (trials + prior)
