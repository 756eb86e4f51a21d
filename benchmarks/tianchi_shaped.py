"""Made files of the Tianchi O2O contest's shape, of any size, where there is no account: nothing in them is real."""

from pathlib import Path

import numpy as np
import pandas as pd

OFFLINE_ROWS, ONLINE_ROWS, TEST_ROWS = 1_754_884, 11_429_826, 113_640
"""Rows of the contest's own files."""

_DISCOUNTS = np.array(
    ["30:5", "20:1", "50:10", "20:5", "200:20", "30:1", "10:1", "100:10", "50:5", "0.95", "0.9", "0.8"]
)
_SHARES = np.array([5 / 30, 0.05, 0.2, 0.25, 0.1, 1 / 30, 0.1, 0.1, 0.1, 0.05, 0.1, 0.2])
_RECEIPTS_END, _LOG_END, _JULY = 167, 182, 31  # days from 2016-01-01: receipts until 15 June, the log until 30 June
_PLAIN, _BASE = 0.4, 0.08  # of offline rows, purchases without a coupon; of receipts, how many are used by and large


def write_tianchi_shaped(
    folder: Path, n_offline: int = OFFLINE_ROWS, n_online: int = ONLINE_ROWS, n_test: int = TEST_ROWS, seed: int = 0
) -> None:
    """Write the three files; in them, habits, the discount and the distance have a hand in who uses a coupon.

    Args:
        folder: made if need be.
        n_offline: rows of the offline training file.
        n_online: rows of the online training file.
        n_test: rows of the test file.
        seed: of the random numbers.
    """
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    habits = rng.gamma(0.5, 2.0, max(n_offline // 3, 20))  # a user's, 1 on average
    offline = _received(rng, habits, n_offline, 0, _RECEIPTS_END)
    _write(_with_outcome(rng, habits, offline), folder / "ccf_offline_stage1_train.csv")
    _write(_online(rng, len(habits), n_online), folder / "ccf_online_stage1_train.csv")
    test = _received(rng, habits, n_test, _LOG_END, _LOG_END + _JULY)
    _write(test.drop(columns=["day", "appeal"]), folder / "ccf_offline_stage1_test_revised.csv")


def _received(rng: np.random.Generator, habits: np.ndarray, n: int, first_day: int, end_day: int) -> pd.DataFrame:
    """Receipts; a merchant has few coupons, a coupon one discount, and big merchants most of the receipts."""
    merchant = (rng.beta(0.4, 3.0, n) * max(len(habits) // 120, 5)).astype(np.int64) + 1
    coupon = merchant * 3 + rng.integers(0, 2, n)
    kind = coupon * 7 % len(_DISCOUNTS)
    day = rng.integers(first_day, end_day, n)
    distance = np.minimum(rng.geometric(0.35, n) - 1, 10)
    return pd.DataFrame(
        {
            "User_id": rng.integers(0, len(habits), n) + 1,
            "Merchant_id": merchant,
            "Coupon_id": coupon,
            "Discount_rate": _DISCOUNTS[kind],
            "Distance": np.where(rng.random(n) < 0.1, "null", distance.astype(str)),
            "Date_received": _dates(day),
            "day": day,
            "appeal": _SHARES[kind] * np.exp(-0.3 * distance),
        }
    )


def _with_outcome(rng: np.random.Generator, habits: np.ndarray, rows: pd.DataFrame) -> pd.DataFrame:
    """A share of plain purchases, and of the receipts some used days later."""
    chance = _BASE * habits[rows["User_id"] - 1] * rows["appeal"].to_numpy() * 15
    plain, used = rng.random(len(rows)) < _PLAIN, rng.random(len(rows)) < chance
    later = _dates(rows["day"].to_numpy() + np.minimum(rng.geometric(0.2, len(rows)) - 1, 15))
    received = rows["Date_received"].to_numpy()
    bought = _dates(rng.integers(0, _LOG_END, len(rows)))
    columns = {
        "Coupon_id": np.where(plain, "null", rows["Coupon_id"].astype(str)),
        "Discount_rate": np.where(plain, "null", rows["Discount_rate"]),
        "Date_received": np.where(plain, "null", received),
        "Date": np.where(plain, bought, np.where(used, later, "null")),
    }
    return rows.drop(columns=["day", "appeal"]).assign(**columns)


def _online(rng: np.random.Generator, n_users: int, n: int) -> pd.DataFrame:
    """Clicks for the most part; purchases, some with a coupon or at a limited-time price; receipts."""
    action = rng.choice([0, 1, 2], n, p=[0.86, 0.08, 0.06])
    day = rng.integers(0, _RECEIPTS_END, n)
    merchant = rng.integers(10_000, 10_000 + max(n_users // 60, 5), n)
    of_purchase = rng.choice(["none", "coupon", "fixed"], n, p=[0.7, 0.15, 0.15])
    coupon = np.where(action == 2, "coupon", np.where(action == 1, of_purchase, "none"))
    number = (100_000_000 + merchant * 3).astype(str)
    dates = _dates(day)
    return pd.DataFrame(
        {
            "User_id": rng.integers(0, n_users, n) + 1,
            "Merchant_id": merchant,
            "Action": action,
            "Coupon_id": np.select([coupon == "coupon", coupon == "fixed"], [number, "fixed"], "null"),
            "Discount_rate": np.select(
                [coupon == "coupon", coupon == "fixed"], [_DISCOUNTS[merchant % 9], "fixed"], "null"
            ),
            "Date_received": np.where(coupon == "coupon", dates, "null"),
            "Date": np.where(action == 2, "null", dates),
        }
    )


def _dates(days: np.ndarray) -> np.ndarray:
    """Days from 2016-01-01 as YYYYMMDD."""
    known = pd.date_range("2016-01-01", periods=_LOG_END + _JULY).strftime("%Y%m%d").to_numpy(dtype=str)
    return known[days]


def _write(rows: pd.DataFrame, path: Path) -> None:
    rows.to_csv(path, index=False, lineterminator="\r\n")
