"""The Python face: frames in, frames out, without files and without the repo around it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import omniretail as om
from omniretail.config import CONFIGS, compose, model_option
from omniretail.core.errors import DataError, SettingsError
from omniretail.run import run
from tests.conftest import shop_events

SPLIT = om.splits.Temporal(horizon_days=20)
ITEMS = pd.DataFrame({"item_id": np.arange(40)}).assign(
    name=lambda frame: "product " + frame.item_id.astype(str), category=lambda frame: (frame.item_id % 5).astype(str)
)


@pytest.fixture(scope="module")
def data() -> om.Dataset:
    log = shop_events().rename(columns={"user_id": "CustomerID"})
    return om.Dataset.from_frames(events=log, items=ITEMS, columns={"user_id": "CustomerID"})


def test_no_stage_but_val_and_test(data: om.Dataset) -> None:
    with pytest.raises(SettingsError, match="stage='valid': choose val or test"):
        om.evaluate(om.models.Popular(), data, SPLIT, stage="valid")  # type: ignore[arg-type]


def test_the_example_of_the_design(data: om.Dataset) -> None:
    model = om.models.EASE(l2=200.0)
    result = om.evaluate(model, data, SPLIT)
    other = om.evaluate(om.models.Popular(), data, SPLIT)
    assert "ndcg" in str(result)
    assert "<table" in result._repr_html_()
    lists = om.recommend(model, users=["13", 7], k=3)
    assert list(lists) == ["user_id", "rank", "item_id", "score", "name"]
    assert lists["rank"].tolist() == [1, 2, 3, 1, 2, 3]
    assert (lists.name == "product " + lists.item_id).all()
    comparison = om.compare([result, other])
    assert set(comparison.table.index) == {"EASE", "Popular"}
    assert "NDCG" in str(comparison)
    assert "<table" in comparison._repr_html_()


def test_python_and_the_command_line_agree(data: om.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop_events().to_csv("log.csv", index=False)
    overrides = ["source=csv", "source.path=log.csv", "split.horizon_days=20", "cache_dir=cache", "evaluate=[test]"]
    tracking = [f"tracking.uri=sqlite:///{tmp_path}/runs.db"]
    (of_command,) = run(compose(*overrides, *tracking, "model=recommender/ease"))
    of_python = om.evaluate(om.models.EASE(), data, SPLIT)
    assert of_python.value("ndcg_at_10") == pytest.approx(of_command.value("ndcg_at_10"), rel=1e-6)


def test_histories_of_strangers_are_answered(data: om.Dataset) -> None:
    model = om.fit(om.models.ItemKNN(), data)
    lists = om.recommend(model, histories=[[1, 2], [3]], k=2)
    assert lists.user_id.tolist() == [0, 0, 1, 1]


def test_embeddings_come_as_a_frame(data: om.Dataset) -> None:
    encoder = om.models.CountSVD(dim=4)
    result = om.evaluate(encoder, data, SPLIT, "task.probes.n_seeds=1", "task.n_folds=2", "task.min_buyers=5")
    assert result.task == "probing"
    frame = om.embed(encoder, users=["13", "7"])
    assert frame.index.tolist() == ["13", "7"]
    assert frame.shape == (2, 4)
    with pytest.raises(DataError, match="has no event before the cutoff"):
        om.embed(encoder, users=["nobody"])


def test_predictions_come_as_a_series() -> None:
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({"recency": rng.normal(size=200)}, index=np.arange(200) + 5)
    model = om.models.Logistic().fit(rows, (rows.recency > 0).to_numpy(float))
    probabilities = om.predict(model, rows)
    assert probabilities.index.equals(rows.index)
    assert probabilities[rows.recency > 1].min() > 0.5


@pytest.mark.parametrize("kind", ["polars", "arrow"])
def test_frames_of_other_libraries_are_accepted(kind: str) -> None:
    module = pytest.importorskip({"polars": "polars", "arrow": "pyarrow"}[kind])
    log = shop_events()
    frame = module.from_pandas(log) if kind == "polars" else module.Table.from_pandas(log)
    assert len(om.Dataset.from_frames(events=frame).tables.events.to_pandas()) == len(
        om.Dataset.from_frames(events=log).tables.events.to_pandas()
    )


def test_numbers_with_a_gap_stay_whole_numbers() -> None:
    log = shop_events().astype({"user_id": float})
    log.loc[log.index[0], "user_id"] = np.nan
    data = om.Dataset.from_frames(events=log)
    assert "13" in set(data.tables.events.to_pandas().user_id)
    assert data.tables.drops["no user"] == 1


def test_mistakes_are_one_sentence(data: om.Dataset) -> None:
    with pytest.raises(DataError, match="customer"):
        om.Dataset.from_frames(events=shop_events(), columns={"user_id": "customer"})
    with pytest.raises(TypeError, match="expected a data frame"):
        om.Dataset.from_frames(events=[1, 2])
    with pytest.raises(DataError, match="name a split"):
        om.evaluate(om.models.Popular(), data, task="recommendation")
    with pytest.raises(ValueError, match="is not fitted here"):
        om.recommend(om.models.Popular(), k=3)
    with pytest.raises(DataError, match=r"Popular has no embed\(\).*model=profile/table"):
        om.evaluate(om.models.Popular(), data, SPLIT, task="probing")
    with pytest.raises(AttributeError, match="there is no model 'EASY'"):
        _ = om.models.EASY


def test_importing_takes_no_time_and_no_torch() -> None:
    code = (
        "import time; t = time.perf_counter(); import omniretail as om, sys; s = time.perf_counter() - t; "
        "om.models.EASE(); assert 'torch' not in sys.modules; assert 'pandas' in sys.modules; print(s)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    assert float(done.stdout) < 1


def test_every_model_of_the_configs_is_exported() -> None:
    from omniretail.models import _PLACES

    options = {
        path.relative_to(CONFIGS / "model").with_suffix("").as_posix() for path in (CONFIGS / "model").rglob("*.yaml")
    }
    missing = []
    for option in sorted(options):
        target = compose(f"model={option}", "source=simulate").model._target_
        module, _, name = target.rpartition(".")
        place = _PLACES.get(name)
        if place is None or (f"omniretail.models.{place}" != module and name not in ("Random", "Response")):
            missing.append(target)
    assert not missing, f"add to src/omniretail/models/__init__.py: {missing}"


def test_a_class_finds_its_yaml() -> None:
    assert model_option(om.models.EASE) == "recommender/ease"
    assert model_option(om.models.CountSVD) == "profile/svd"
    assert model_option(dict) is None
