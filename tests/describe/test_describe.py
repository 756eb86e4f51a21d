"""The data check before any training."""

import pandas as pd
import pytest
import yaml

import omniretail as om
from omniretail.config import compose
from omniretail.describe import facts
from omniretail.describe.evaluate import Describe
from omniretail.run import run_with_page
from omniretail.sources.csv import CSV
from omniretail.sources.protocol import load


def shop() -> pd.DataFrame:
    rows = [
        (f"c{n % 40}", f"sku{n % 13}", f"2024-01-{1 + n % 28:02d} 15:30:00", "pv" if n % 3 else "buy", 2.5)
        for n in range(400)
    ]
    rows += [("c1", "POST", "2024-03-01 15:30:00", "buy", 9.99), ("c1", "sku1", "2024-03-01 15:30:00", "buy", 1.0)]
    return pd.DataFrame(rows, columns=["Customer ID", "StockCode", "InvoiceDate", "behavior", "Amount"])


@pytest.fixture
def page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shop().to_csv("shop.csv", index=False)
    places = [f"cache_dir={tmp_path / 'cache'}", f"tracking.uri=sqlite:///{tmp_path / 'mlflow.db'}"]
    return run_with_page(compose("task=describe", "source=csv", "source.path=shop.csv", *places))


def test_columns_and_event_types_are_guessed_and_named(page):
    settings = yaml.safe_load(page.text.split("configs/source:\n")[1].split("\n\n")[0])["source"]
    assert settings["columns"] == {
        "user_id": "Customer ID",
        "item_id": "StockCode",
        "timestamp": "InvoiceDate",
        "event_type": "behavior",
        "value": "Amount",
    }
    assert settings["signals"] == {"pv": "view"}


def test_settings_of_what_can_be_done_compose(page):
    lines = dict(line.split(maxsplit=1) for line in page.text.split("done with it:\n")[1].splitlines())
    assert lines["next_store"] == "needs store_id"
    for settings in (each for each in lines.values() if not each.startswith("needs ")):
        compose("source=csv", "source.path=shop.csv", *settings.split())


def test_numbers_and_the_page(page):
    values = page.results[0].values()
    assert (values["events"], values["users"], values["items"]) == (402, 40, 14)
    assert values["gap_days"] == 32
    html = page.page.read_text()
    assert "source.not_products=[POST]" in html
    assert "named like postage" in html


def test_frames_are_described_as_they_are():
    names = {"user_id": "Customer ID", "item_id": "StockCode", "timestamp": "InvoiceDate"}
    data = om.Dataset.from_frames(shop(), columns=names).with_split(om.splits.Temporal())
    evaluation = Describe().evaluate(None, data, "test")
    assert evaluation.findings.settings == {}
    assert set(evaluation.findings.event_types.event_type) == {"purchase"}


def test_items_that_are_no_products_are_dropped_and_counted(tmp_path):
    shop().to_csv(tmp_path / "shop.csv", index=False)
    tables = load(CSV(path=tmp_path / "shop.csv", guess=True, not_products=["po*", "SKU1?"]), tmp_path / "cache")
    dropped = sum(each in ("POST", "sku10", "sku11", "sku12") for each in shop().StockCode)
    assert tables.drops["no product"] == dropped
    assert not set(tables.events.to_pandas().item_id) & {"POST", "sku10"}


def test_ties_and_repeats_by_hand():
    log = pd.DataFrame(
        [("a", "x", "2024-01-01"), ("a", "x", "2024-01-02"), ("a", "y", "2024-01-02"), ("b", "x", "2024-01-01")],
        columns=["user_id", "item_id", "timestamp"],
    )
    habits = facts.habits(om.Dataset.from_frames(log).tables)
    assert habits == {"events_per_user": 2.0, "one_event": 0.5, "repeats": 0.25, "ties": 0.5}


def shanghai(n: int = 600) -> pd.DataFrame:
    """Customers from 9 to 21 o'clock in Shanghai, every day of two weeks, written in UTC."""
    local = pd.Timestamp("2024-01-01 09:10") + pd.to_timedelta([n // 12 % 14 * 24 + n % 12 for n in range(n)], unit="h")
    utc = local.tz_localize("Asia/Shanghai").tz_convert("UTC").tz_localize(None)
    return pd.DataFrame({"user_id": [n % 9 for n in range(n)], "item_id": [n % 7 for n in range(n)], "timestamp": utc})


def test_the_zone_is_guessed_from_the_quiet_hours():
    tables = om.Dataset.from_frames(shanghai()).tables
    assert facts.guessed_zone(facts.per_hour(tables), "UTC") == "Asia/Shanghai"
    at_home = om.Dataset.from_frames(shanghai().assign(timestamp=lambda log: log.timestamp + pd.Timedelta("8h"))).tables
    assert facts.guessed_zone(facts.per_hour(at_home), "UTC") is None
    around_the_clock = pd.Series(1 / 24, index=range(24))
    assert facts.guessed_zone(around_the_clock, "UTC") is None


def test_days_and_midnights_are_those_of_the_customers():
    log = pd.DataFrame({"user_id": ["a"] * 2, "item_id": "x", "timestamp": ["2024-01-01 16:00", "2024-01-02 00:00"]})
    tables = om.Dataset.from_frames(log.assign(timestamp=log.timestamp + "Z"), timezone="Asia/Shanghai").tables
    total = facts.totals(tables)
    assert (str(total["first"]), total["days"], total["midnights"]) == ("2024-01-02 00:00:00", 1, 0.5)
    assert facts.per_hour(tables)[8] == 1


def test_columns_are_summed_up_in_one_query(monkeypatch):
    log = pd.DataFrame({"user_id": ["a", "b"], "item_id": "x", "timestamp": "2024-01-01", "value": [1.5, None]})
    columns = facts.columns(om.Dataset.from_frames(log).tables).set_index("column")
    assert columns.loc["value"].tolist() == [0.5, 1, "1.5", "1.5"]
    assert columns.loc["user_id"].tolist() == [0, 2, "a", "b"]


def test_a_code_of_two_characters_is_a_product():
    rows = [(f"u{n % 9}", code, "2024-01-01", n + 0.5) for n in range(30) for code in ("m1", "x")]
    log = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "value"])
    found = facts.suspicious_items(om.Dataset.from_frames(log).tables)
    assert dict(zip(found.item_id, found.reason, strict=True)) == {"x": "one character, at ever other amounts"}
