"""Databases that are locked, gone or none."""

import sqlite3
from pathlib import Path
from unittest.mock import patch

import pytest

from omniretail.core.errors import SettingsError
from omniretail.search import storage
from omniretail.search.study import open_study


def test_a_locked_database_is_one_sentence(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/search.db"
    with patch.object(storage, "_PATIENCE_S", 0.2):
        opened = storage.open_storage(address)
    holder = sqlite3.connect(tmp_path / "search.db", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    locked = r"has been locked by another program .* search\.storage=sqlite"
    with pytest.raises(SettingsError, match=locked), storage.reachable(address):
        open_study(opened, "mine", ["ndcg_at_10"], {})
    holder.close()


def test_a_database_that_was_deleted_is_one_sentence(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path}/search.db"
    storage.open_storage(address)
    storage.require_file(address)
    (tmp_path / "search.db").unlink()
    with pytest.raises(SettingsError, match=r"search\.db is gone; put the file back"):
        storage.require_file(address)


def test_a_server_that_is_down_is_one_sentence() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(
        SettingsError, match=r"postgresql://\*\*\*@127\.0\.0\.1:1/x cannot be used .* run the command again"
    ):
        storage.open_storage("postgresql://anna:secret@127.0.0.1:1/x")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("search.db", "is no address of a database"),
        ("sqlite:////proc/none/search.db", "cannot be made"),
        ("oracles://host/x", "needs a driver that is not installed"),
    ],
)
def test_an_address_that_is_none(address: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        storage.open_storage(address)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "search.db").write_text("a letter " * 1000)
    with pytest.raises(SettingsError, match="is a file of another kind"):
        storage.open_storage(f"sqlite:///{tmp_path}/search.db")
