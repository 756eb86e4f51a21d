"""The segmentation task on a shop with two kinds of customers."""

from pathlib import Path

import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.recommenders.popular import Popular
from omniretail.profile.segments.evaluate import Segmentation
from omniretail.report.pages.segments import page
from omniretail.splits.leave_last import LeaveLast
from omniretail.splits.temporal import Temporal
from omniretail.tasks import Evaluation
from tests.conftest import shop_events, tables_of

WINDOW = pd.Timedelta(days=28)
RULES = {"loyal": {"label": "Loyal", "definition": "Often.", "feature": "visits", "above": {"quantile": 0.5}}}
CUTOFF = pd.Timestamp("2024-09-29")


def events() -> pd.DataFrame:
    """Every third customer buys other items than the rest."""
    log = shop_events(n_users=90, n_days=300)
    return log.assign(item_id=log.item_id + 100 * (log.user_id % 3 == 0))


def evaluated(cache: Path, log: pd.DataFrame, **settings: object) -> Evaluation:
    task = Segmentation(**{"min_customers": 10, "tags": RULES, **settings})  # type: ignore[arg-type]
    return task.evaluate(CountSVD(dim=4), Dataset(tables_of(log), Temporal(28), cache), "test")


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluated(tmp_path_factory.mktemp("cache"), events(), map_features=("visits", "loyal"))


def test_each_kind_of_customers_is_a_segment(evaluation: Evaluation) -> None:
    values = evaluation.result.values()
    assert values["n_segments"] == 2
    assert values["ari_seeds"] == 1
    assert values["ari_time"] > 0.9
    assert values["psi_max"] >= values["psi_max_recent"] > 0
    table = evaluation.tables["customers"]
    assert table.user_id.is_unique
    kinds = pd.crosstab(table.user_id % 3 == 0, table.segment)
    assert (kinds.max(axis=1) == kinds.sum(axis=1)).all()
    known = table.dropna(subset="segment_before")
    assert (known.segment == known.segment_before).mean() == pytest.approx(values["stayed"])
    assert values["stayed"] > 0.9


def test_the_page_shows_segments_maps_and_drift(evaluation: Evaluation, tmp_path: Path) -> None:
    page(tmp_path / "new" / "page.html", evaluation, tables_of(events()).card)
    text = (tmp_path / "new" / "page.html").read_text()
    for phrase in (
        "2 is the largest number of segments with a prediction strength of 0.8 or more",
        "Customers by baskets",
        "Customers by tag “Loyal”",
        "In the same segment",
        "a logistic regression separates the windows",
    ):
        assert phrase in text, phrase


def test_nothing_after_the_stages_cutoff_is_read(tmp_path: Path) -> None:
    log = events()
    after = log.timestamp >= CUTOFF
    assert 0 < after.sum() < len(log)
    one = evaluated(tmp_path / "one", log, n_segments=3)
    other = evaluated(tmp_path / "other", log.assign(item_id=log.item_id.where(~after, 7)), n_segments=3)
    pd.testing.assert_frame_equal(one.tables["customers"], other.tables["customers"])
    pd.testing.assert_frame_equal(one.result.metrics, other.result.metrics)


def test_mistakes_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Segmentation: n_segments=0 must be 1 or more"):
        Segmentation(n_segments=0)
    with pytest.raises(DataError, match="there is no loyall; did you mean loyal"):
        evaluated(tmp_path, events(), map_features=("loyall",))
    data = Dataset(tables_of(events()), LeaveLast(), tmp_path)
    with pytest.raises(DataError, match="choose split=temporal"):
        Segmentation().evaluate(CountSVD(dim=4), data, "test")
    with pytest.raises(DataError, match=r"Popular has no embed\(\)"):
        Segmentation().evaluate(Popular(), data, "test")  # type: ignore[arg-type]
