"""The table of searches in experiment 017 is that of its searches.csv."""

import importlib.util
import sys

import pandas as pd

from tests.conftest import ROOT

FOLDER = ROOT / "experiments" / "017_search_on_equal_time"


def test_the_table_is_that_of_the_searches() -> None:
    spec = importlib.util.spec_from_file_location("searches", FOLDER / "searches.py")
    assert spec is not None
    assert spec.loader is not None
    searches = importlib.util.module_from_spec(spec)
    sys.modules["searches"] = searches
    spec.loader.exec_module(searches)
    table = searches.table(pd.read_csv(FOLDER / "searches.csv", keep_default_na=False))
    assert table.count("\n") > 20
    readme = (FOLDER / "README.md").read_text()
    assert f"{searches.START}\n{table}\n{searches.END}" in readme, "run searches.py --table"
