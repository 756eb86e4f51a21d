import gzip
from pathlib import Path

import pytest

from omniretail.schema import DataError
from omniretail.sources.diginetica import Diginetica


def written(folder: Path, train: str, test: str) -> Diginetica:
    (folder / "train.txt").write_text(train)
    (folder / "test.txt").write_text(test)
    return Diginetica(folder, name="clicks")


def test_each_line_is_a_user_and_test_comes_after_training(tmp_path, loaded, rows):
    tables = loaded(written(tmp_path, "7 8\n9\n\n", "7 8\t9\n7\t8\n"))
    events = sorted(
        (each["timestamp"].second, each["user_id"], each["item_id"], each["fold"]) for each in rows(tables.events)
    )
    assert events == [
        *((0, 0, 7, "train"), (1, 0, 8, "train"), (2, 1, 9, "train")),
        *((3, 2, 7, "test"), (4, 2, 8, "test"), (5, 2, 9, "test"), (6, 3, 7, "test"), (7, 3, 8, "test")),
    ]
    assert (tables.card.title, tables.card.clock) == ("clicks", False)
    assert tables.drops == {"session without items": 0, "test row without a prefix": 0}


def test_gzip_and_plain_text_are_the_same(tmp_path, loaded, rows):
    plain = rows(loaded(written(tmp_path, "1 2\n", "1\t2\n")).events)
    for name in ("train.txt", "test.txt"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    assert rows(loaded(Diginetica(tmp_path, name="clicks")).events) == plain


def test_a_row_without_a_prefix_is_dropped_and_counted(tmp_path, loaded, rows):
    tables = loaded(written(tmp_path, "1 2\n", "\t2\n1\t2\n"))
    assert tables.drops["test row without a prefix"] == 1
    assert {each["user_id"] for each in rows(tables.events)} == {0, 1}


@pytest.mark.parametrize(
    ("train", "test", "sentence"),
    [
        ("1 x\n", "1\t2\n", "train.txt, row 1, column 2: 'x' is not a whole number"),
        ("1 2\n", "1\t2\n1 2\n", "test.txt, row 2: not of the form 'item item …<tab>next item': '1 2'"),
        ("1 2\n", "1\t2 3\n", "test.txt, row 1: not of the form"),
        ("\n", "1\t2\n", "train.txt is empty"),
    ],
)
def test_a_broken_file_is_a_sentence(train: str, test: str, sentence: str, tmp_path: Path, loaded) -> None:
    with pytest.raises(DataError, match=sentence):
        loaded(written(tmp_path, train, test))


def test_a_file_that_is_no_gzip_is_a_sentence(tmp_path, loaded):
    (tmp_path / "train.txt.gz").write_text("1 2\n")
    (tmp_path / "test.txt").write_text("1\t2\n")
    with pytest.raises(DataError, match=r"train\.txt\.gz: not a whole gzip file"):
        loaded(Diginetica(tmp_path))


def test_a_missing_file_is_named(tmp_path, loaded):
    with pytest.raises(DataError, match=r"train\.txt\.gz is not there"):
        loaded(Diginetica(tmp_path))
