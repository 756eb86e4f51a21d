"""Pages in a real browser: tables sort, filter and copy, charts answer to the mouse, nothing is wider than a phone."""

from pathlib import Path
from typing import Any

import pytest

from omniretail.report.compare import Report
from omniretail.report.pages.index import Entry, add_to_index
from tests.report.results import CARD, GROUPED, RESULTS, SHOWN, result

RECOMMENDERS = Report("ndcg_at_10", SHOWN, baseline="Popular", reference="PersonalTop")
QUESTIONS = Report("churn/auc", ["*/auc", "*/brier"], tested=["*"], baseline="Chance")
LONG = "A model with a very long name indeed, and_one_word_that_cannot_be_broken_at_any_space_whatsoever"


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    many = [result(f"M{i}", 0.1 + i / 1000, n_users=20) for i in range(200)]
    named = {
        "recommenders": (RECOMMENDERS, [*RESULTS, result(LONG, 0.05)]),
        "one": (RECOMMENDERS, RESULTS[:1]),
        "questions": (QUESTIONS, GROUPED),
        "many": (RECOMMENDERS, many),
    }
    for name, (report, results) in named.items():
        report.compare(results, CARD, {"no <user>": 1234}).write_html(folder / f"{name}.html")
        add_to_index(folder, Entry(f"{name}.html", "2026-01-01", "Shop", "recommendation", name))
    return {path.stem: path for path in folder.glob("[!.]*.html")}


def column(page: Any, place: int) -> list[str]:
    return page.locator(f"table >> nth=0 >> tbody tr:visible > :nth-child({place})").all_inner_texts()


@pytest.mark.parametrize("width", [400, 1600])
@pytest.mark.parametrize("name", ["recommenders", "one", "questions", "many", "index"])
def test_no_page_is_wider_than_the_window(opened, pages: dict[str, Path], name: str, width: int) -> None:
    page = opened(pages[name], width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.mouse.wheel(300, 0)
    assert page.evaluate("window.scrollX") == 0
    for chart in page.locator(".chart svg").all():
        box = chart.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["height"] > 40


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["recommenders", "questions", "index"])
def test_axe_finds_nothing_serious(opened, pages: dict[str, Path], name: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened(pages[name], scheme=scheme)
    for button in page.get_by_role("button", name="Figures: ").all():
        button.click()
    found = axe.Axe().run(page).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")] == []


def test_a_table_sorts_by_numbers_and_by_names(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["recommenders"])
    as_written = column(page, 1)
    head = page.get_by_role("columnheader", name="fit s").first
    assert head.get_attribute("aria-sort") == "none"
    by_value = page.get_by_role("button", name="NDCG@10", exact=True).first
    by_value.click()
    values = [float(text.rstrip("†")) for text in column(page, 2)]
    assert values == sorted(values, reverse=True)
    by_value.press("Enter")
    values = [float(text.rstrip("†")) for text in column(page, 2)]
    assert values == sorted(values)
    assert page.get_by_role("columnheader", name="NDCG@10").first.get_attribute("aria-sort") == "ascending"
    by_value.press("Enter")
    assert column(page, 1) == as_written
    page.get_by_role("button", name="model", exact=True).first.click()
    names = "|".join(column(page, 1))
    places = [names.index(name) for name in ("A model", "EASE", "PersonalTop", "Popular", "SLIM")]
    assert places == sorted(places)


def test_two_hundred_rows_are_filtered(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["many"])
    assert len(column(page, 1)) == 200
    box = page.get_by_role("searchbox").first
    box.fill("M19")
    assert len(column(page, 1)) == 11  # M19 and M190 to M199
    assert page.get_by_role("status").first.inner_text() == "11 of 200 rows"
    box.fill("no such model")
    assert column(page, 1) == []
    box.fill("")
    assert len(column(page, 1)) == 200


def test_what_is_shown_is_copied(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["recommenders"])
    page.evaluate("navigator.clipboard.writeText = async (text) => { window.copied = text; }")
    page.get_by_role("searchbox").first.fill("<b>")
    page.get_by_role("button", name="Copy").first.click()
    page.wait_for_function("window.copied")
    head, row = page.evaluate("window.copied").split("\n")
    assert head.split("\t")[:2] == ["model", "NDCG@10"]
    assert "<b>$x$|&" in row
    assert page.get_by_role("status").first.inner_text() == "1 rows copied"


def test_a_chart_answers_to_the_mouse(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["recommenders"])
    page.locator(".chart svg .mark-symbol.role-mark path").first.hover()
    page.wait_for_selector("#vg-tooltip-element.visible")
    words = page.locator("#vg-tooltip-element").inner_text()
    assert "NDCG@10" in words
    assert "EASE" in words


def test_a_click_in_the_legend_picks_a_model(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["recommenders"])
    chart = page.locator("figure", has_text="Gain over Popular by customer activity").locator(".chart")
    chart.scroll_into_view_if_needed()
    before = chart.inner_html()
    box = chart.get_by_text("SLIM").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.wait_for_timeout(200)
    assert chart.inner_html() != before


def test_the_figures_of_a_chart_are_a_table(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["recommenders"])
    figure = page.locator("figure").first
    figure.get_by_role("button", name="Figures: ").click()
    heads = figure.get_by_role("columnheader").all_inner_texts()
    assert heads[:2] == ["model", "value"] or heads[0].startswith("model")
    assert figure.get_by_role("row").count() == 1 + 6
    figure.get_by_role("button", name="Figures: ").click()
    assert figure.get_by_role("row").count() == 0


def test_a_chart_is_saved(opened, pages: dict[str, Path], tmp_path: Path) -> None:
    page = opened(pages["recommenders"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as SVG").first.click()
    download.value.save_as(tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_text().startswith("<svg")
    assert download.value.suggested_filename == "NDCG_10_by_model.svg"


def test_ink_follows_the_scheme(opened, pages: dict[str, Path]) -> None:
    colours = [
        opened(pages["recommenders"], scheme=scheme)
        .locator(".chart svg text")
        .first.evaluate("element => getComputedStyle(element).fill")
        for scheme in ("light", "dark")
    ]
    assert colours == ["rgb(34, 39, 46)", "rgb(227, 231, 235)"]


def test_every_page_is_listed(opened, pages: dict[str, Path]) -> None:
    page = opened(pages["index"])
    page.get_by_role("link", name="questions").first.click()
    page.wait_for_function("document.querySelector('.chart')")
    page.get_by_role("link", name="All pages").click()
    assert page.get_by_role("heading", level=1).inner_text() == "All pages"
