import importlib.util
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, shop_events

spec = importlib.util.spec_from_file_location("portrait_script", ROOT / "scripts" / "portrait.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)


@pytest.fixture(scope="module")
def shop(tmp_path_factory) -> Path:
    """A folder with a log, which also holds the runs and the cache."""
    folder = tmp_path_factory.mktemp("shop")
    shop_events(n_users=60, n_days=300).to_csv(folder / "log.csv", index=False)
    return folder


def test_own_arguments_are_told_from_overrides():
    assert script.arguments(["source=csv", "customer=1"]) == ({"customer": "1"}, ["+tags=default", "source=csv"])
    assert script.arguments(["+tags=mine", "seed=2"]) == ({}, ["+tags=mine", "seed=2"])


@pytest.mark.parametrize(
    ("given", "message"),
    [(["customer=1", "segment=loyal"], "not both"), (["segment=loyal", "min_customers=few"], "whole number, not few")],
)
def test_mistaken_arguments(given, message):
    with pytest.raises(ValueError, match=message):
        script.arguments(given)


@pytest.mark.parametrize(
    ("asked", "said"), [([], "bargain_hunter"), (["customer=7"], "Customer 7"), (["segment=big_basket"], "Big basket")]
)
def test_pages_are_written_and_tracked(shop, monkeypatch, capsys, asked, said):
    settings = ["source=csv", "source.path=log.csv", f"tracking.uri=sqlite:///{shop}/runs.db", "min_customers=1"]
    monkeypatch.chdir(shop)
    monkeypatch.setattr(sys, "argv", ["portrait.py", *settings, "cache_dir=cache", *asked])
    script.main()
    shown = capsys.readouterr().out
    assert said in shown
    page = shop / shown.partition("page=")[2].splitlines()[0]
    assert page.is_file()
    assert len(list(shop.rglob(f"artifacts/portraits/{page.name}"))) == 1


def test_a_mistake_is_one_sentence(shop, monkeypatch):
    monkeypatch.chdir(shop)
    monkeypatch.setattr(sys, "argv", ["portrait.py", "source=csv", "source.path=log.csv", "customer=nobody"])
    with pytest.raises(SystemExit, match="error: there is no customer nobody among the"):
        script.main()
