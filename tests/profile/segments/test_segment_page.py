import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from omniretail.profile.segments.evaluate import SegmentFindings
from omniretail.profile.segments.over_time import EmbeddedCustomers, segment_customers
from omniretail.profile.segments.projection import plane
from omniretail.report.pages.segments import page
from omniretail.report.plots.segment_map import customer_map
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation
from omniretail.views.profile.dictionary import Feature

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


def words(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert not [link for link in re.findall(r'(?:src|href)="(?!#)([^"]*)"', text) if not link.startswith("data:")]
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    return " ".join(ElementTree.fromstring(text).itertext())  # raises where a name was not escaped


def written(
    path: Path,
    points: np.ndarray,
    profile: pd.DataFrame,
    n_segments: int | None = None,
    smallest: int = 5,
    min_customers: int = 20,
    map_features: tuple[str, ...] = (),
) -> str:
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
    return words(path)


def test_page_is_well_formed_complete_and_alone(tmp_path: Path, points: np.ndarray, profile: pd.DataFrame) -> None:
    path = tmp_path / "new" / "segments.html"
    tagged = profile.assign(regular=LABELS == 0)
    text = written(path, points, tagged, map_features=("spend", "age"))
    for expected in (
        "Corner <shop>",
        "E<x>",
        "Not & real.",
        "Terms: free",
        "paid & owed",
        "tag “<Regular>”",
        "age: <19 & less",
        "Segment 3",
        "2017-12-04",
        "AUC of 0.50",
        "Of 3 features, 1 shifted a lot and 0 moderately.",
        "customers keep their segment with an index of 1.00",
    ):
        assert expected in text, expected
    assert len(re.findall("<svg role", path.read_text())) == 3


def test_small_segments_are_not_described(tmp_path: Path, points: np.ndarray, profile: pd.DataFrame) -> None:
    path = tmp_path / "segments.html"

    def bars_of_the_third() -> int:
        return path.read_text().split("Segment 3</h3>")[1].partition("<ul")[0].count('class="bar"')

    text = written(path, points, profile, n_segments=3)
    assert "Fewer than 20 customers: too few to describe" in text
    assert "fewer than 20" in text
    assert bars_of_the_third() == 0
    written(path, points, profile, n_segments=3, min_customers=8)
    assert bars_of_the_third() > 0


@pytest.mark.parametrize("n", [2, 30])
def test_page_of_identical_customers(tmp_path: Path, n: int, profile: pd.DataFrame) -> None:
    path = tmp_path / "segments.html"
    text = written(path, np.ones((n, 4)), profile.head(n), smallest=20, map_features=("spend",))
    assert "All customers have the same embedding, so they are one segment." in text
    assert ("Fewer than 20 customers" if n == 2 else "There are no other customers to compare with.") in text
    assert path.read_text().count("<svg") == (0 if n == 2 else 2)


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
    legend = customer_map(places, rare, "kind").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["many", "some", "others or unknown"]
    known = customer_map(places, profile.spend.where(profile.spend > 50), "spend")
    assert len(known.axes) == 2  # with a colour bar
    assert to_rgb(known.axes[0].collections[0].get_facecolor()[0][:3]) == to_rgb("#9aa3ad")
    few = customer_map(places, profile.spend.where(np.arange(108) < 9), "spend")
    assert len(few.axes) == 1
    assert "too few" in few.axes[0].get_title()
    with pytest.raises(ValueError, match="108 customers have coordinates, and 3 a value of spend"):
        customer_map(places, profile.spend.head(3), "spend")
