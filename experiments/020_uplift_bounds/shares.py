"""Each ranking's Qini as a share of a bound's in the same world, from results.csv: mean and 95 % interval over worlds.

python experiments/020_uplift_bounds/shares.py
"""

from pathlib import Path

import pandas as pd
from scipy import stats

BOUNDS = ["TrueEffect", "OracleFeatures", "NoiseFree"]


def shares() -> pd.DataFrame:
    """A row per ranking and bound: mean, lowest and highest share, and a t-interval over worlds."""
    results = pd.read_csv(Path(__file__).with_name("results.csv")).dropna(subset="table")
    qini = results.pivot_table(index="table", columns="model", values="qini")
    rows = []
    for bound in BOUNDS:
        share = qini.div(qini[bound], axis=0)
        for model in share.mean().sort_values(ascending=False).index:
            each = share[model]
            low, high = stats.t.interval(0.95, len(each) - 1, each.mean(), max(each.sem(), 1e-12))
            rows.append([bound, model, each.mean(), low, high, each.min(), each.max()])
    return pd.DataFrame(rows, columns=["of", "ranking", "share", "low", "high", "lowest", "highest"])


if __name__ == "__main__":
    print(shares().round(3).to_string(index=False))
