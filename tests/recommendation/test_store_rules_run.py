"""Distance, hours, stock and caps of a store in one policy, from tables to the comparison of what it costs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.config import compose
from omniretail.result import Result
from omniretail.run import run
from omniretail.sweep import compare
from tests.conftest import shop_events


def shop_with_tables(folder: Path) -> None:
    """A log with stores s0 to s6, and the tables that policy=store_now reads: s0 is closed, s1 out of item 0."""
    events = shop_events()
    events.assign(store_id=[f"s{basket % 7}" for basket in events.basket_id]).to_csv(folder / "log.csv", index=False)
    items = pd.DataFrame({"item_id": range(30), "category": [f"c{item % 5}" for item in range(30)]})
    items.to_csv(folder / "items.csv", index=False)
    names = [f"s{number}" for number in range(7)]
    places = pd.DataFrame({"store_id": names, "lat": 0.0, "lon": np.arange(7) / 1000})
    places.to_csv(folder / "store_places.csv", index=False)
    hours = pd.DataFrame({"store_id": names[1:], "opens": "00:00", "closes": "24:00"})
    hours = hours.merge(pd.DataFrame({"weekday": range(7)}), how="cross")
    closed = pd.DataFrame({"store_id": ["s0"], "weekday": [0], "opens": ["10:00"], "closes": ["10:01"]})
    pd.concat([hours, closed]).to_csv(folder / "store_hours.csv", index=False)
    stock = pd.DataFrame({"store_id": "s1", "item_id": range(30), "quantity": [0, *[5] * 29]})
    stock.to_csv(folder / "store_stock.csv", index=False)


def evaluated(folder: Path, *overrides: str) -> Result:
    source = ("source=csv", "source.path=log.csv", "source.items_path=items.csv", "data_root=.")
    track = (f"tracking.uri=sqlite:///{folder}/mlflow.db", f"cache_dir={folder}/cache", "evaluate=[test]")
    settings = (*source, *track, "split.horizon_days=20", "metrics.ks=[10]", "model=recommender/personal_top")
    return run(compose(*settings, *overrides))[0]


def test_what_a_policy_costs_is_in_the_comparison(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop_with_tables(tmp_path)
    constrained, free = evaluated(tmp_path, "policy=store_now"), evaluated(tmp_path)
    values = constrained.per_unit
    assert values.feasible_share_before_at_10.mean() < 0.95
    assert (values.feasible_share_at_10 == 1).all()
    assert "OpenAt(hours=./store_hours.csv" in constrained.protocol["policy"]

    tables = [
        each.table for each in compare(f"sqlite:///{tmp_path}/mlflow.db", [constrained.run_id, free.run_id], "test")
    ]
    cost = {"unconstrained_ndcg_at_10", "regret_at_10", "score_regret_at_10", "feasible_share_at_10"}
    assert [cost <= {*table} for table in tables] == [True, False], "runs under other policies are not compared"
    row = tables[0].loc["PersonalTop"]
    assert row.feasible_share_before_at_10 == pytest.approx(values.feasible_share_before_at_10.mean())
    assert row.regret_at_10 == pytest.approx(row.unconstrained_ndcg_at_10 - row.ndcg_at_10)
    assert row.regret_at_10_low <= row.regret_at_10 <= row.regret_at_10_high
