from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.profile.segments.evaluate import SegmentFindings
from omniretail.profile.segments.over_time import EmbeddedCustomers, segment_customers
from omniretail.profile.segments.projection import plane
from omniretail.report.charts.customer_map import customer_map
from omniretail.report.charts.style import GREY
from omniretail.report.pages.segments import page
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation
from omniretail.views.profile.dictionary import Feature
from tests.report.reading import ReadPage

SIZES = (60, 40, 8)
LABELS = np.repeat(np.arange(3), SIZES)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return 10 * np.eye(5)[LABELS] + np.random.default_rng(0).normal(0, 0.3, (108, 5))


@pytest.fixture(scope="module")
def profile() -> pd.DataFrame:
    spend = 100.0 * LABELS + np.random.default_rng(1).normal(size=108)
    age = pd.Series(np.where(LABELS == 0, "<19 & less", "65+"))
    return pd.DataFrame({"spend": spend, "age": age.where(np.arange(108) % 9 > 0)})


def written(
    path: Path,
    points: np.ndarray,
    profile: pd.DataFrame,
    n_segments: int | None = None,
    smallest: int = 5,
    min_customers: int = 20,
    map_features: tuple[str, ...] = (),
) -> ReadPage:
    """The page of customers who do not change, but for their spend."""
    ids = np.arange(len(points))
    earlier, later = (EmbeddedCustomers(ids, points, each) for each in (profile, profile.assign(spend=0.0)))
    customers = segment_customers(earlier, later, n_segments, smallest)
    features, labels = [Feature("spend", "paid & owed", "all time", "count")], {"regular": "<Regular>"}
    at = 1_512_345_600
    findings = SegmentFindings(
        *(customers, earlier, profile, features, labels, map_features, at - 86400, at, min_customers)
    )
    card = DatasetCard("Corner <shop>", note="Not & real.", terms="free")
    page(path, Evaluation(Result("E<x>", "test", "segmentation"), findings=findings), card)
    return ReadPage(path)


def test_page_is_well_formed_complete_and_alone(tmp_path: Path, points: np.ndarray, profile: pd.DataFrame) -> None:
    path = tmp_path / "new" / "segments.html"
    tagged = profile.assign(regular=LABELS == 0)
    page = written(path, points, tagged, map_features=("spend", "age"))
    for expected in (
        "Corner <shop>",
        "E<x>",
        "Not & real.",
        "Terms: free",
        "paid & owed",
        "tag “<Regular>”",
        "age: <19 & less",
        " · Small spenders",
        "1 · Big spenders",
        "Segment 4",
        "2017-12-04",
        "AUC of 0.50",
        "Of 3 features, 1 shifted a lot and 0 moderately.",
        "customers keep their segment with an index of 1.00",
    ):
        assert expected in page.text, expected
    assert len(page.specs) == 3
    assert page.links == ["index.html", "segments_customers.csv"]
    assert len(pd.read_csv(path.with_name("segments_customers.csv"))) == 108


def test_small_segments_are_not_described(tmp_path: Path, points: np.ndarray, profile: pd.DataFrame) -> None:
    path = tmp_path / "segments.html"
    page = written(path, points, profile, n_segments=3)
    third = page.text.partition("What distinguishes Segment 3")[2]
    assert third.startswith(" Fewer than 20 customers: too few to describe")
    assert "fewer than 20" in page.text
    assert "800" not in page.text, "what the third spends"
    page = written(path, points, profile, n_segments=3, min_customers=8)
    assert "What distinguishes 3 · Big spenders" in page.titles


def test_values_and_suggestions(tmp_path: Path, points: np.ndarray, profile: pd.DataFrame) -> None:
    page = written(tmp_path / "segments.html", points, profile)
    assert "paid per customer in all" in page.text
    assert "Keep They bring much of the turnover" in page.text
    assert "Suggestions by rule" in page.text


@pytest.mark.parametrize("n", [2, 30])
def test_page_of_identical_customers(tmp_path: Path, n: int, profile: pd.DataFrame) -> None:
    path = tmp_path / "segments.html"
    page = written(path, np.ones((n, 4)), profile.head(n), smallest=20, map_features=("spend",))
    assert "All customers have the same embedding, so they are one segment." in page.text
    assert ("Fewer than 20 customers" if n == 2 else "There are no other customers to compare with.") in page.text
    assert len(page.specs) == (0 if n == 2 else 2)


def test_neighbours_stay_neighbours_on_the_plane(points) -> None:
    made = plane(points)
    assert made.note.startswith("t-SNE")
    distances = np.linalg.norm(made.coordinates[:, None] - made.coordinates, axis=-1) + 1e9 * np.eye(108)
    assert (LABELS[distances.argmin(1)] == LABELS).mean() > 0.95
    np.testing.assert_array_equal(plane(points).coordinates, made.coordinates)


def test_plane_of_many_and_of_few(points) -> None:
    many = plane(points, max_customers=100)
    assert many.note == "The first two principal components of the embedding: more than 100 customers."
    assert many.coordinates.shape == (108, 2)
    for n, columns in ((1, 5), (2, 5), (5, 1), (12, 1)):
        places = plane(points[:n, :columns]).coordinates
        assert places.shape == (n, 2)
        assert np.isfinite(places).all()
    with pytest.raises(ValueError, match="not finite"):
        plane(np.full((30, 2), np.nan))


def test_map_greys_out_rare_and_unknown_values(points, profile) -> None:
    places = points[:, :2]
    rare = pd.Series(np.array(["many", "some", "rare"])[LABELS]).where(np.arange(108) > 0)
    scale = customer_map(places, rare, "kind", "").spec.to_dict()["encoding"]["color"]["scale"]
    assert scale["domain"] == ["many", "some", "others or unknown"]
    assert scale["range"][-1] == GREY
    few = customer_map(places, profile.spend.where(np.arange(108) < 9), "spend", "")
    assert "Too few customers have a value" in few.caption
    assert few.spec.to_dict()["encoding"]["color"] == {"value": GREY}
    with pytest.raises(ValueError, match="108 customers have coordinates, and 3 a value of spend"):
        customer_map(places, profile.spend.head(3), "spend", "")
