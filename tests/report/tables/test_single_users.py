"""Customers on whom two models differ most."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from omniretail.report.compare import Report
from omniretail.report.tables.comparison import comparison
from omniretail.report.tables.protocol import merged
from omniretail.report.tables.single_users import single_users
from tests.report.reading import ReadPage
from tests.report.results import CARD, result

USERS = ["u0000", "u0001", "u0002", "u0003"]


def lists(name: str) -> pd.DataFrame:
    rows = {"user_id": USERS, "recommended": [[f"<i>{name}</i>", "Tea"]] * 4, "hits": [[False, True]] * 4}
    return pd.DataFrame(rows | {"held_out": [["Tea", "Milk"]] * 4})


def two() -> list:
    one, other = result("A", 0.3, n_users=4, run_id="a"), result("B", 0.2, n_users=4, run_id="b")
    one.per_unit["ndcg_at_10"], other.per_unit["ndcg_at_10"] = [0.9, 0.5, 0.2, 0.1], [0.1, 0.5, 0.1, 0.4]
    return [one, other]


def test_largest_differences_on_both_sides_with_names_and_ticks() -> None:
    runs = two()
    cells = single_users(comparison(runs, [], "ndcg_at_10"), merged(runs), {"A": lists("A"), "B": lists("B")})
    assert cells.customer.tolist() == ["u0000", "u0002", "u0003"], "equal ones are left out"
    assert cells["A"].tolist() == ["<i>A</i>; ✓ Tea"] * 3
    assert cells["NDCG@10 of B"].tolist() == ["0.1000", "0.1000", "0.4000"]
    assert cells.iloc[0, 1] == "Tea; Milk"


def test_the_page_shows_them_where_lists_were_recorded(tmp_path: Path) -> None:
    compared = Report("ndcg_at_10").compare(two(), CARD, {})
    compared.write_html(tmp_path / "without.html")
    replace(compared, lists={"a": lists("A"), "b": lists("B")}).write_html(tmp_path / "with.html")
    title = "Customers on whom the two best differ most"
    assert title not in ReadPage(tmp_path / "without.html").titles
    page = ReadPage(tmp_path / "with.html")
    assert title in page.titles
    assert "<i>A</i>; ✓ Tea" in page.text
    assert "Differences by group of customers" in page.titles
