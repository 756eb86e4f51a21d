"""Credentials of addresses are used, and neither shown nor saved."""

import os

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from omniretail.core.credentials import hide, hide_in_command, remember, reveal


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", os.environ.copy())


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://anna:s3cret@host:5000/prefix", "http://***@host:5000/prefix"),
        ("https://s3cret@host", "https://***@host"),
        (
            "postgresql+psycopg://anna:s3/cr@et@db/runs?sslmode=require",
            "postgresql+psycopg://***@db/runs?sslmode=require",
        ),
        ("mysql://db/runs?user=anna&password=s3cret", "mysql://db/runs?***"),
        ("http://host/?access_token=s3cret", "http://host/?***"),
        ("http://host?s3cret", "http://host?***"),
        ("http://host/#s3cret", "http://host/#***"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Ds3cret", "mssql+pyodbc:///?***"),
        ("http://host:5000/@team", "http://host:5000/@team"),
        ("sqlite:///mlflow.db", "sqlite:///mlflow.db"),
        ("models:/name@champion", "models:/name@champion"),
    ],
)
def test_an_address_is_shown_without_them(address: str, shown: str) -> None:
    assert hide(f"uri: '{address}'\n{address} is down") == f"uri: '{shown}'\n{shown} is down"
    assert remember(address) == shown
    assert reveal(shown) == address
    assert remember(shown) == shown


def test_two_credentials_of_one_place_are_told_apart() -> None:
    first, second = remember("http://anna:one@host"), remember("http://otto:two@host")
    assert (reveal(first), reveal(second)) == ("http://anna:one@host", "http://otto:two@host")


def test_words_of_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://anna:s3cret@host")
    words = [
        "-m",
        "tracking.uri='http://anna:s3,cret@host:1'",
        "++uri=http://h/?token=s3cret",
        "model=a,b",
        "model.l2=3",
    ]
    hidden = hide_in_command([*words, "hydra.sweeper.storage=postgresql://anna:s3cret@db/search"])
    assert "s3" not in " ".join(hidden)
    assert os.environ["MLFLOW_TRACKING_URI"] == "http://***@host"
    parsed = [OverridesParser.create().parse_override(word).value() for word in hidden[1:]]
    assert reveal(parsed[0]) == "http://anna:s3,cret@host:1"
    assert reveal(parsed[1]) == "http://h/?token=s3cret"
    assert hidden[3:5] == words[3:5]
    variable = parsed[-1].removeprefix("${oc.env:").removesuffix("}")
    assert os.environ[variable] == "postgresql://anna:s3cret@db/search"
