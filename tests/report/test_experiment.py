"""Tables of experiments: as CSV, and in a README between markers."""

from pathlib import Path

import pandas as pd
import pytest

from omniretail.core.errors import SettingsError
from omniretail.report.experiment import named_tables, refresh, save_tables, with_tables
from omniretail.report.tables.by_activity import by_activity
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.csv_files import ONLY, read_csv, write_csv
from tests.report.results import RESULTS, TABLE, WIDE

README = "# EASE\n\n<!-- table:start -->\nold\n<!-- table:end -->\n\nVerdict.\n"


@pytest.mark.parametrize("table", [TABLE, WIDE, by_activity(RESULTS, "ndcg_at_10")], ids=["one", "wide", "activity"])
def test_csv_round_trip(table: pd.DataFrame, tmp_path: Path) -> None:
    write_csv(tmp_path / "results.csv", {ONLY: table})
    pd.testing.assert_frame_equal(read_csv(tmp_path / "results.csv")[ONLY], table, check_exact=True)


def test_several_tables_in_one_file(tmp_path: Path) -> None:
    write_csv(tmp_path / "results.csv", {"lists": TABLE, "questions": WIDE})
    tables = read_csv(tmp_path / "results.csv")
    assert list(tables) == ["lists", "questions"]
    for name, table in (("lists", TABLE), ("questions", WIDE)):
        assert set(tables[name].columns) == set(table.columns)
        assert text_table(tables[name]).markdown() == text_table(table).markdown()


def test_readme_holds_the_table_of_its_csv(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(README, encoding="utf-8")
    save_tables(tmp_path, {ONLY: TABLE})
    text = readme.read_text(encoding="utf-8")
    assert text_table(TABLE).markdown() in text
    assert "old" not in text
    assert text.startswith("# EASE\n\n<!-- table:start -->\n| model | NDCG@10 |")
    assert text.endswith("<!-- table:end -->\n\nVerdict.\n")
    refresh(tmp_path)
    assert readme.read_text(encoding="utf-8") == text


def test_a_table_takes_the_place_of_the_one_of_its_name(tmp_path: Path) -> None:
    blocks = [f"<!-- table:{name}:start -->\n<!-- table:{name}:end -->\n" for name in ("lists", "questions")]
    (tmp_path / "README.md").write_text("# Both\n" + "".join(blocks))
    save_tables(tmp_path, {"lists": TABLE, "questions": TABLE})
    save_tables(tmp_path, {"questions": WIDE})
    assert list(read_csv(tmp_path / "results.csv")) == ["lists", "questions"]
    text = (tmp_path / "README.md").read_text()
    assert text.count("| NDCG@10 |") == text.count("| churn AUC |") == 1


@pytest.mark.parametrize(
    "text", ["", "<!-- table:end --> <!-- table:start -->", "<!-- table:start -->" * 2, "<!-- table:start -->"]
)
def test_refuses_a_readme_without_its_markers(text: str) -> None:
    with pytest.raises(ValueError, match="must hold <!-- table:start --> and <!-- table:end -->"):
        with_tables(text, {ONLY: TABLE})


def test_refresh_refuses_markers_of_no_table(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("<!-- table:groups:start -->\n<!-- table:groups:end -->")
    save_tables(tmp_path, {ONLY: TABLE})  # one command of several
    with pytest.raises(ValueError, match=r"markers of groups, which results\.csv does not hold"):
        refresh(tmp_path)


def test_each_table_of_a_command_may_have_a_name() -> None:
    assert list(named_tables([TABLE, WIDE], "lists,questions")) == ["lists", "questions"]
    with pytest.raises(SettingsError, match="--table has 3 names and there are 2 tables; give each a name"):
        named_tables([TABLE, WIDE], "a,b,c")
