import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from omniretail.profile.segments.clustering import fit_segments
from omniretail.profile.segments.drift import domain_auc, drift
from omniretail.profile.segments.projection import plane
from omniretail.profile.segments.stability import time_stability
from omniretail.report.pages.segments import write_segments
from omniretail.report.plots.segment_map import customer_map
from omniretail.schema import DatasetCard

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


def words(path) -> str:
    text = path.read_text(encoding="utf-8")
    assert "<script" not in text
    assert not [link for link in re.findall(r'(?:src|href)="(?!#)([^"]*)"', text) if not link.startswith("data:")]
    ids = re.findall(r'\bid="([^"]*)"', text)
    assert len(ids) == len(set(ids))
    return " ".join(ElementTree.fromstring(text).itertext())  # raises where a name was not escaped


def test_page_is_well_formed_complete_and_alone(tmp_path, points, profile):
    segments = fit_segments(points, max_segments=4, smallest=5)
    ids = np.arange(108)
    page = tmp_path / "segments.html"
    write_segments(
        page,
        "Corner <shop>",
        DatasetCard("Made <up>", note="Not & real.", terms="free"),
        segments,
        points,
        profile,
        colour_by=["spend", "age"],
        definitions={"spend": "paid & kept"},
        over_time=time_stability(segments, points),
        drifted=drift(profile, profile.assign(spend=0.0)),
        auc=domain_auc(points, points, ids, ids),
        facts={"As of": "2017-12-04"},
    )
    text = words(page)
    for expected in (
        "Corner <shop>",
        "Made <up>",
        "Not & real.",
        "Terms: free",
        "paid & kept",
        "age: <19 & less",
        "Segment 3",
        "2017-12-04",
        "AUC of 0.50",
    ):
        assert expected in text
    assert "Of 2 features, 1 shifted a lot and 0 moderately." in text
    assert "customers keep their segment with an index of 1.00" in text
    assert len(re.findall("<svg role", page.read_text())) == 3


def test_small_segments_are_not_described(tmp_path, points, profile):
    page = tmp_path / "segments.html"
    segments = fit_segments(points, min_segments=3, max_segments=3, smallest=5)
    assert segments.sizes.tolist() == list(SIZES)
    write_segments(page, "Shop", DatasetCard("Shop"), segments, points, profile)
    text = words(page)
    assert "Fewer than 20 customers: too few to be described" in text
    assert "fewer than 20" in text
    assert len(re.findall('class="bar"', page.read_text().split("Segment 3</h3>")[1])) == 0
    write_segments(page, "Shop", DatasetCard("Shop"), segments, points, profile, min_customers=8)
    assert len(re.findall('class="bar"', page.read_text().split("Segment 3</h3>")[1])) > 0


@pytest.mark.parametrize("n", [1, 30])
def test_page_of_identical_customers(tmp_path, n, profile):
    same, page = np.ones((n, 4)), tmp_path / "segments.html"
    write_segments(page, "Shop", DatasetCard("Shop"), fit_segments(same), same, profile.head(n), colour_by=["spend"])
    text = words(page)
    assert "All customers have the same embedding, so they are one segment." in text
    assert ("Fewer than 20 customers" if n == 1 else "There is nobody else to compare these customers with.") in text
    assert page.read_text().count("<svg") == (0 if n == 1 else 2)


def test_plane_keeps_neighbours_together(points):
    made = plane(points)
    assert made.words.startswith("t-SNE")
    distances = np.linalg.norm(made.places[:, None] - made.places, axis=-1) + 1e9 * np.eye(108)
    assert (LABELS[distances.argmin(1)] == LABELS).mean() > 0.95
    np.testing.assert_array_equal(plane(points).places, made.places)


def test_plane_of_many_and_of_few(points):
    many = plane(points, max_customers=100)
    assert many.words == "The two main components of the embedding: more than 100 customers."
    assert many.places.shape == (108, 2)
    for n, columns in ((1, 5), (2, 5), (5, 1), (12, 1)):
        places = plane(points[:n, :columns]).places
        assert places.shape == (n, 2)
        assert np.isfinite(places).all()
    with pytest.raises(ValueError, match="not finite"):
        plane(np.full((30, 2), np.nan))


def test_map_greys_out_rare_and_unknown_values(points, profile):
    places = points[:, :2]
    rare = pd.Series(np.array(["many", "some", "rare"])[LABELS]).where(np.arange(108) > 0)
    legend = customer_map(places, rare, "kind").axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["many", "some", "others or not known"]
    known = customer_map(places, profile.spend.where(profile.spend > 50), "spend")
    assert len(known.axes) == 2  # with a colour bar
    assert to_rgb(known.axes[0].collections[0].get_facecolor()[0][:3]) == to_rgb("#9aa3ad")
    few = customer_map(places, profile.spend.where(np.arange(108) < 9), "spend")
    assert len(few.axes) == 1
    assert "too few" in few.axes[0].get_title()
    with pytest.raises(ValueError, match="108 customers have a place, and 3 a value of spend"):
        customer_map(places, profile.spend.head(3), "spend")
