"""Rankings by uplift over several simulated worlds: means, spreads, and in how many worlds one beats another."""

from pathlib import Path
from typing import Any

import pandas as pd

from omniretail.report.tables.plain import plain_markdown

TRUE, RIVAL = "the true effect", "Response"
SHARE = 0.1
"""Of customers who get a coupon, where coupons are counted."""
_PER_100 = ("qini", "auuc", f"uplift_at_{100 * SHARE:g}")
_COUPONS = ("buy_anyway", "because")


def of_world(world: int, rankings: pd.DataFrame, coupons: pd.DataFrame, customers: int) -> pd.DataFrame:
    """One world's figures, a row per ranking.

    Args:
        world: its seed.
        rankings: from ``ranking_figures``.
        coupons: from ``coupon_figures``.
        customers: judged.
    """
    at = coupons[coupons.share == SHARE].set_index("ranking")[list(_COUPONS)]
    table = rankings.set_index("ranking")[["qini", "qini_low", "qini_high", *_PER_100[1:]]].join(at)
    return table.rename_axis("model").reset_index().assign(world=world, customers=customers)


def add_world(found: pd.DataFrame, results: Path) -> None:
    """Put a world's rows into a file, instead of those it had of that world."""
    others = pd.read_csv(results) if results.exists() else found[:0]
    every = pd.concat([others.loc[~others.world.isin(found.world)], found], ignore_index=True)
    every.sort_values(["world", "qini"], ascending=[True, False], kind="stable").to_csv(results, index=False)


def worlds_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and standard deviation over worlds as text, best Qini first."""
    rows, figures = table.reset_index(), (*_PER_100, *_COUPONS)
    wide = {name: rows.pivot_table(index="world", columns="model", values=name) for name in figures}
    order = wide["qini"].mean().sort_values(ascending=False).index
    reached = wide["qini"].div(wide["qini"][TRUE], axis=0)
    ahead = wide["qini"].gt(wide["qini"][RIVAL], axis=0).sum()
    n = len(reached)
    return pd.DataFrame(
        {
            "ranking": order,
            "Qini, per 100": [_spread(100 * wide["qini"][name], 2) for name in order],
            "of the true effect's": [_percent(reached[name]) for name in order],
            "AUUC, per 100": [_spread(100 * wide["auuc"][name], 2) for name in order],
            "would have bought anyway": [_spread(wide["buy_anyway"][name], 1) for name in order],
            "buy because of it": [_spread(100 * wide[_PER_100[2]][name], 1) for name in order],
            "ahead of response": ["–" if name == RIVAL else f"{ahead[name]} of {n}" for name in order],
        }
    )


def worlds_legend(table: pd.DataFrame) -> list[str]:
    """How to read it, in sentences."""
    worlds = table.reset_index().drop_duplicates("world")
    numbers = ", ".join(map(str, sorted(worlds.world)))
    return [
        f"Mean ± standard deviation over {len(worlds)} simulated worlds (seeds {numbers}), "
        f"{worlds.customers.min():,} to {worlds.customers.max():,} customers judged in each.",
        "Qini: area between the curve of customers gained and a random order, in additional buyers per 100 customers "
        "sent a coupon; AUUC: area under the uplift curve.",
        "of the true effect's: share of the Qini that a ranking by the true effect has in the same world; lowest and "
        "highest in brackets.",
        "would have bought anyway, buy because of it (uplift@10 %): of 100 coupons sent to the best-ranked tenth.",
        "ahead of response: in how many worlds the Qini is above that of the ranking by who buys when sent a coupon.",
    ]


def worlds_markdown(table: pd.DataFrame) -> str:
    """For a README: the table and how to read it."""
    return plain_markdown(worlds_cells(table), worlds_legend(table))


def _spread(values: Any, digits: int) -> str:
    return f"{values.mean():.{digits}f} ± {values.std():.{digits}f}".replace("-", "−")


def _percent(values: Any) -> str:
    return f"{values.mean():.0%} ({values.min():.0%} to {values.max():.0%})".replace("-", "−").replace("%", " %")
