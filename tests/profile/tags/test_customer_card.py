from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags import Population, customer_card, earlier_table, segment_portrait, stability
from omniretail.profile.tags.population import percentile
from omniretail.report.pages.customer import write_card, write_portrait
from omniretail.report.pages.tags import write_tags
from omniretail.report.tables.amounts import amount, percent
from omniretail.schema import DatasetCard
from tests.profile.tags.factories import by_hand, population, shop, tag
from tests.report.reading import ReadPage

DATA = DatasetCard("Made <up>", terms="free", note="Not & real.")


@pytest.fixture(scope="module")
def everybody() -> Population:
    return population(shop(prices=True))


def read(path: Path) -> ReadPage:
    """The page; it needs no network, and no figure is NaN."""
    page = ReadPage(path)
    assert page.links == ["index.html"]
    assert "nan" not in page.text.split()
    for words in ("Made <up>", "Not & real.", "Terms: free"):
        assert words in page.text
    return page


def test_a_card_by_hand() -> None:
    train = by_hand({"a": [(40, 0, 0), (40, 0, 1), (26, 1, 1), (12, 2, 1)], "b": [(5, 0, 2)]})
    card = customer_card(population(train, [tag("regular", feature="visits", above=2)]), "a")
    assert [each.label for each in card.tags] == ["Regular"]
    figures = {figure.feature: figure for figure in card.figures}
    assert figures["visits"].value == 3
    assert figures["visits"].everybody == 2
    assert figures["visits"].percentile == 0.75  # one has less, one the same
    assert [(each.name, each.visits, each.share) for each in card.products] == [
        ("item 1", 3, 0.75),
        ("item 0", 1, 0.25),
    ]
    assert card.products[0].everybody == 3 / 5
    assert sum(card.rhythm[0].own) == pytest.approx(1)
    assert card.trend.own == (2.0,)  # there is one whole four weeks, with two visits in it
    assert card.levels == {}


def test_items_of_one_name_are_one_product() -> None:
    train = by_hand({"a": [(9, 0, 0), (9, 0, 1), (2, 1, 1)]})
    named = replace(train, item_table=train.item_table.assign(name=["Tea", "Tea", None, "Milk"]))
    (product,) = customer_card(population(named, []), "a").products
    assert (product.name, product.visits, product.share) == ("Tea", 2, 1.0)


def test_one_name_in_two_categories_is_two_products() -> None:
    train = by_hand({"a": [(9, 0, 0), (9, 0, 1), (2, 1, 1)]})
    named = replace(train, item_table=train.item_table.assign(name="Mild", category=["Tea", "Soap", "Tea", None]))
    products = customer_card(population(named, []), "a").products
    assert [(each.name, each.kind, each.visits) for each in products] == [("Mild", "Soap", 2), ("Mild", "Tea", 1)]


def test_a_customer_with_one_event(tmp_path) -> None:
    train = by_hand({"a": [(5, 0, 0)]})
    card = customer_card(population(train), "a")
    assert [each.name for each in card.tags] == ["new_customer", "one_visit"]
    write_card(tmp_path / "card.html", card, "A test.", DATA)
    assert "One visit only" in read(tmp_path / "card.html").text


def test_identical_customers_are_at_the_median(tmp_path) -> None:
    train = by_hand({name: [(9, 0, 0), (2, 1, 1)] for name in "abcd"})
    everybody = population(train)
    card = customer_card(everybody, "c")
    assert {figure.percentile for figure in card.figures} == {0.5}
    portrait = segment_portrait(everybody, np.ones(4, dtype=bool), "All", min_customers=4)
    assert portrait.products == ()
    assert all(figure.value == figure.everybody for figure in portrait.figures)
    write_portrait(tmp_path / "all.html", portrait, "A test.", DATA)
    read(tmp_path / "all.html")


def test_an_unknown_customer_names_near_ids() -> None:
    everybody = population(by_hand({"anna": [(5, 0, 0)], "bert": [(5, 0, 0)]}))
    with pytest.raises(
        ValueError, match="no customer ana among the 2 with events before the cutoff; did you mean anna"
    ):
        customer_card(everybody, "ana")
    with pytest.raises(ValueError, match="ids look like anna, bert"):
        customer_card(everybody, "zzz")


def test_numeric_ids_match_as_text(everybody) -> None:
    assert customer_card(everybody, "7").customer == customer_card(everybody, 7).customer == "7"


def test_small_segments_are_refused(everybody) -> None:
    members = np.arange(len(everybody.table)) < 19
    with pytest.raises(ValueError, match=r"the segment Few has 19 customers; portraits of fewer than 20 are not made"):
        segment_portrait(everybody, members, "Few")
    assert segment_portrait(everybody, members, "Few", min_customers=19).size == 19


def test_an_empty_segment_is_refused_whatever_the_minimum(everybody) -> None:
    with pytest.raises(ValueError, match="has 0 customers"):
        segment_portrait(everybody, np.zeros(len(everybody.table), dtype=bool), "None", min_customers=0)


def test_what_a_segment_buys_more_of() -> None:
    users = {f"u{i}": [(9, 0, 0), (9, 0, 1)] for i in range(5)} | {f"v{i}": [(9, 0, 0), (9, 0, 2)] for i in range(5)}
    everybody = population(by_hand(users), [])
    portrait = segment_portrait(everybody, np.arange(10) < 5, "Ones", min_customers=5)
    (product,) = portrait.products
    assert (product.name, product.buyers, product.share, product.lift) == ("item 1", 5, 0.5, 2.0)
    four = segment_portrait(everybody, np.arange(10) < 4, "Ones", min_customers=4)
    assert four.products == ()  # four buyers are too few to name what they bought


def test_pages_escape_names(everybody, tmp_path) -> None:
    write_card(tmp_path / "card.html", customer_card(everybody, "3"), "Corner <shop> & co.", DATA)
    members = everybody.table.visits.to_numpy() > 5
    portrait = segment_portrait(everybody, members, "<i>Us</i>", "We & <they>.")
    write_portrait(tmp_path / "segment.html", portrait, "Corner <shop> & co.", DATA)
    card, page = read(tmp_path / "card.html"), read(tmp_path / "segment.html")
    assert "<b>Tea & milk</b>" in card.text
    assert "<i>Us</i>" in page.text
    assert "We & <they>." in page.text
    for each in (card, page):
        assert not {"b", "shop", "they"} & set(each.names)
        assert "<b>Tea" not in each.html


def test_the_page_of_all_tags(tmp_path) -> None:
    train = shop(prices=False)
    everybody, profile = population(train), ProfileTable().fit(train)
    before, present = earlier_table(profile, train.histories, train.at)
    table = stability(everybody.learned, everybody.table, before, present)
    write_tags(tmp_path / "tags.html", everybody.learned, table, "A test.", DATA)
    page = read(tmp_path / "tags.html")
    assert all(each.definition in page.text for each in everybody.learned.tags)
    assert "coupon_lover coupon_visits is missing for all customers" in page.text


def test_percentile() -> None:
    values = np.array([1.0, 2.0, 3.0, np.nan])
    assert [percentile(values, each) for each in (0.0, 2.0, 9.0)] == [0.0, 0.5, 1.0]
    assert np.isnan(percentile(values, np.nan))


def test_amounts_as_text() -> None:
    assert amount(3.0, "count") == "3"
    assert amount(2.5, "ratio") == "2.50"
    assert amount(1.0, "currency") == "1.00"
    assert percent(1.0) == "100 %"
    assert percent(0.0999) == "10 %"


def test_figures_that_a_source_lacks_are_passed_over() -> None:
    everybody = population(shop(prices=False))
    card = customer_card(everybody, "3")
    assert not {"spend", "unit_price_mean", "stores"} & {figure.feature for figure in card.figures}
    assert card.trend.title.startswith("Visits")
    assert sum(card.trend.own) > 0
