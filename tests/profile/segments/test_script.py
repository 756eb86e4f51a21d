import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from tests.conftest import ROOT, shop_events

spec = importlib.util.spec_from_file_location("segments_script", ROOT / "scripts" / "segments.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

DAYS, WINDOW = 300, 28


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """A folder with a log of two kinds of customers, which also holds the runs and the cache."""
    folder = tmp_path_factory.mktemp("shop")
    events = shop_events(n_users=90, n_days=DAYS)
    events["item_id"] += 100 * (events.user_id % 3 == 0)
    events.to_csv(folder / "log.csv", index=False)
    return folder


def call(shop: Path, monkeypatch, *asked: str, log: str = "log.csv") -> None:
    settings = ["source=csv", f"source.path={log}", f"tracking.uri=sqlite:///{shop}/runs.db", "cache_dir=cache"]
    small = [] if any(each.startswith("min_customers") for each in asked) else ["min_customers=10"]
    monkeypatch.chdir(shop)
    monkeypatch.setattr(sys, "argv", ["segments.py", *settings, *small, *asked])
    script.main()


def kept(shop: Path, shown: str) -> dict[str, float]:
    run_id = shown.partition("run_id=")[2].splitlines()[0]
    return MlflowClient(f"sqlite:///{shop}/runs.db").get_run(run_id).data.metrics


def test_own_arguments_are_told_from_overrides():
    given = ["source=csv", "n_segments=3", "colour=loyal"]
    defaults = ["model=profile/table", "+tags=default"]
    assert script.arguments(given) == ({"n_segments": "3", "colour": "loyal"}, [*defaults, "source=csv"])
    assert script.arguments(["model=profile/svd", "+tags=mine"]) == ({}, ["model=profile/svd", "+tags=mine"])


def test_page_figures_and_customers(shop, monkeypatch, capsys):
    call(shop, monkeypatch, "model=profile/svd", "colour=visits,loyal", "model.dim=4")
    shown = capsys.readouterr().out
    assert "2 is the largest number of segments with a prediction strength of at least 0.8" in shown
    assert "Segment 1\n  " in shown
    assert "a logistic regression tells the windows apart" in shown
    metrics = kept(shop, shown)
    assert metrics["segments/n_segments"] == 2
    assert metrics["segments/ari_seeds"] == 1
    assert metrics["segments/ari_time"] > 0.9
    assert metrics["segments/psi_max"] >= metrics["segments/psi_max_recent"] > 0
    page = shop / shown.partition("page=")[2].splitlines()[0]
    for words in ("Customers by baskets", "Customers by tag “Loyal”", "In the same segment"):
        assert words in page.read_text()
    assert len(list(shop.rglob("artifacts/segments/segments_csv.*"))) == 2
    customers = pd.read_parquet(page.with_suffix(".parquet"))
    same = customers.dropna(subset="segment_before")
    assert customers.user_id.is_unique
    assert (same.segment == same.segment_before).mean() > 0.9
    kinds = pd.crosstab(customers.user_id.astype(int) % 3 == 0, customers.segment)
    assert (kinds.max(axis=1) == kinds.sum(axis=1)).all()  # each kind of customers is a segment


def test_nothing_after_the_later_cutoff_is_looked_at(shop, monkeypatch, capsys):
    events = pd.read_csv(shop / "log.csv")
    call(shop, monkeypatch, "n_segments=3")
    last = pd.to_datetime(events.timestamp).max().normalize() + pd.Timedelta(days=1)
    after = pd.to_datetime(events.timestamp) >= last - pd.Timedelta(days=WINDOW)
    assert 0 < after.sum() < len(events)
    before, said = pd.read_parquet(shop / "reports" / "segments_csv.parquet"), kept(shop, capsys.readouterr().out)
    events.assign(item_id=events.item_id.where(~after, 7)).to_csv(shop / "other.csv", index=False)
    call(shop, monkeypatch, "n_segments=3", log="other.csv")
    pd.testing.assert_frame_equal(pd.read_parquet(shop / "reports" / "segments_csv.parquet"), before)
    assert kept(shop, capsys.readouterr().out) == said


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("n_segments=0", "n_segments takes a whole number from 1, not 0"),
        ("min_customers=few", "min_customers takes a whole number from 1, not few"),
        ("colour=loyall", "there is no 'loyall'; did you mean loyal"),
        ("model=recommender/popular", "Popular gives lists, not vectors of customers; choose a profile"),
        ("split=leave_last", "choose split=temporal"),
    ],
)
def test_a_mistake_is_one_sentence(shop, monkeypatch, asked, message):
    with pytest.raises(SystemExit, match=message) as said:
        call(shop, monkeypatch, asked)
    assert str(said.value).startswith("error: ")
    assert "\n" not in str(said.value)
