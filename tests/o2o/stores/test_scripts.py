import importlib.util
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from omniretail.report import read_csv, with_table
from omniretail.report.tables.stores import keep_part
from tests.conftest import ROOT, shop_events


def script(name: str):
    spec = importlib.util.spec_from_file_location(f"{name}_script", ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def uri(tmp_path_factory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('runs')}/runs.db"


def call(name: str, folder: Path, uri: str, monkeypatch, *asked: str) -> None:
    settings = [f"tracking.uri={uri}", f"cache_dir={folder}/cache"]
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *settings, *asked])
    script(name).main()


SMALL = ("source=simulate", "source.n_customers=150", "source.n_weeks=16", "stage=val")


@pytest.fixture
def experiment(tmp_path) -> Path:
    folder = tmp_path / "experiment"
    folder.mkdir()
    (folder / "README.md").write_text("Before\n<!-- table:start -->\n<!-- table:end -->\nAfter\n")
    return folder


def test_one_experiment_of_two_commands(tmp_path, uri, experiment, monkeypatch, capsys) -> None:
    call("stores", tmp_path, uri, monkeypatch, *SMALL, "models=last,faded", f"experiment={experiment}")
    shown = capsys.readouterr().out
    assert "Synthetic: every event was drawn by a program" in shown.replace("\n", " ")
    client = MlflowClient(uri)
    metrics = client.get_run(shown.partition("run_id=")[2].splitlines()[0]).data.metrics
    assert 0 < metrics["val/last/first_visit/all/accuracy"] < 1
    assert metrics["val/the_truth/all_visits_moment_given/all/mrr"] > metrics["val/faded/all_visits/all/mrr"] + 0.03

    quick = ("model=visiting/trees", "model.trees=10", "model.n_windows=2")
    call("budgets", tmp_path, uri, monkeypatch, *SMALL, *quick, "tightness=0.5", "k=1", f"experiment={experiment}")
    run_id = capsys.readouterr().out.partition("run_id=")[2].splitlines()[0]
    metrics = client.get_run(run_id).data.metrics
    assert (
        metrics["val/by_demand/k_1/0.5/auction/value/expected"]
        >= 0.99 * (metrics["val/by_demand/k_1/0.5/exact/value/expected"])
    )
    kept = read_csv(experiment / "results.csv")
    assert kept.part.unique().tolist() == ["next", "groups", "budgets"]
    text = (experiment / "README.md").read_text()
    titles = ("Which store next: simulate", "By group: simulate", "Offers under budgets: simulate")
    for words in (*titles, "| faded |", "| by demand | 1 | sum"):
        assert words in text
    assert with_table(text, kept) == text
    assert text.startswith("Before")
    assert text.endswith("After\n")


def test_a_part_takes_the_place_of_its_like(tmp_path) -> None:
    for dataset, figure in (("a", 1), ("b", 2), ("a", 3)):
        keep_part(tmp_path, "next", dataset, pd.DataFrame({"figure": [figure]}))
    keep_part(tmp_path, "budgets", "a", pd.DataFrame({"other": [4]}))
    kept = pd.read_csv(tmp_path / "results.csv")
    assert kept[["part", "dataset"]].to_numpy().tolist() == [["next", "b"], ["next", "a"], ["budgets", "a"]]
    assert kept.figure.tolist()[:2] == [2, 3]


@pytest.mark.parametrize(
    ("name", "asked", "message"),
    [
        ("stores", ["stage=both"], "stage=both: choose val or test"),
        ("stores", ["models=nearest"], "nearest"),
        ("budgets", ["stage=both"], "stage=both: choose val or test"),
        ("budgets", ["k=0"], "k=0: give whole numbers from 1"),
        ("budgets", ["k=one"], "k=one: give whole numbers from 1"),
        ("budgets", ["tightness=0", "model=visiting/trees", "model.trees=1", *SMALL], "tightness=0.0 must be above 0"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path, uri, monkeypatch, name, asked, message) -> None:
    with pytest.raises(SystemExit, match=message) as said:
        call(name, tmp_path, uri, monkeypatch, *asked)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize("name", ["stores", "budgets"])
def test_a_log_without_stores_is_said(tmp_path, uri, monkeypatch, name) -> None:
    shop_events(n_users=5).to_csv(tmp_path / "log.csv", index=False)
    with pytest.raises(SystemExit, match="this log has no store_id, so nobody can be told to go to a store"):
        call(name, tmp_path, uri, monkeypatch, "source=csv", "source.path=log.csv")


def shop_with_tables(folder: Path) -> None:
    """A log with stores s0 to s6, and the tables that policy=store_now reads: s0 is closed, s1 out of item 0."""
    events = shop_events()
    events.assign(store_id=[f"s{basket % 7}" for basket in events.basket_id]).to_csv(folder / "log.csv", index=False)
    items = pd.DataFrame({"item_id": range(30), "category": [f"c{item % 5}" for item in range(30)]})
    items.to_csv(folder / "items.csv", index=False)
    names = [f"s{number}" for number in range(7)]
    pd.DataFrame({"store_id": names, "lat": 0.0, "lon": np.arange(7) / 1000}).to_csv(
        folder / "store_places.csv", index=False
    )
    hours = pd.DataFrame({"store_id": names[1:], "opens": "00:00", "closes": "24:00"})
    hours = hours.merge(pd.DataFrame({"weekday": range(7)}), how="cross")
    closed = pd.DataFrame({"store_id": ["s0"], "weekday": [0], "opens": ["10:00"], "closes": ["10:01"]})
    pd.concat([hours, closed]).to_csv(folder / "store_hours.csv", index=False)
    stock = pd.DataFrame({"store_id": "s1", "item_id": range(30), "quantity": [0, *[5] * 29]})
    stock.to_csv(folder / "store_stock.csv", index=False)


def judged(folder: Path, uri: str, *asked: str):
    from omniretail.config import compose
    from omniretail.run import run

    source = ("source=csv", "source.path=log.csv", "source.items_path=items.csv", "data_root=.")
    track = (f"tracking.uri={uri}", f"cache_dir={folder}/cache", "evaluate=[test]", "metrics.ks=[10]")
    source += ("split.horizon_days=20",)
    return run(compose(*source, *track, "model=recommender/personal_top", *asked))[0]


def test_distance_hours_stock_and_caps_in_one_yaml(tmp_path, uri, monkeypatch, capsys) -> None:
    shop_with_tables(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    ruled, free = judged(tmp_path, uri, "policy=store_now"), judged(tmp_path, uri)
    values = ruled.per_user
    assert values.feasible_share_before_at_10.mean() < 0.95
    assert (values.feasible_share_at_10 == 1).all()
    assert "OpenAt(hours=./store_hours.csv" in ruled.settings["policy"]
    monkeypatch.setattr(sys, "argv", ["policies.py", ruled.run_id, "--uri", uri])
    script("policies").main()
    assert f"{values.feasible_share_before_at_10.mean():.4f}" in capsys.readouterr().out
    for run_id, message in (
        (free.run_id, "PersonalTop was judged under no chain of rules; run it with policy=store_assortment"),
        ("nowhere", "there is no run nowhere"),
    ):
        monkeypatch.setattr(sys, "argv", ["policies.py", run_id, "--uri", uri])
        with pytest.raises(SystemExit, match=message):
            script("policies").main()


@pytest.mark.parametrize(
    ("model", "name"), [("store/boosted", "stores"), ("visiting/trees", "budgets"), ("uplift/chance", "uplift")]
)
def test_a_run_sends_other_questions_to_their_scripts(model, name) -> None:
    from omniretail.config import compose
    from omniretail.run import run

    with pytest.raises(ValueError, match=rf"answers another question: ask it with python scripts/{name}\.py"):
        run(compose(f"model={model}"))
