from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.views.item_features import ItemFeatures

TABLE = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "category": ["BREAD", "MILK", None, "BREAD"],
        "organic": [True, False, True, False],
        "size": [1, 2, 1, 2],
        "price": [1.0, 3.0, np.nan, 5.0],
        "name": ["dark rye bread loaf", "fresh whole milk bottle", None, "white bread loaf small"],
    }
)


def vectors(path: Path, rows: dict[str, list[float]]) -> str:
    pd.DataFrame({"item_id": list(rows), "vector": list(rows.values())}).to_parquet(path / "vectors.parquet")
    return str(path / "vectors.parquet")


def test_categories_words_and_small_whole_numbers_are_values() -> None:
    read = ItemFeatures.of(TABLE, ["category", "organic", "size"])
    assert read.categories.toarray().sum(axis=1).tolist() == [3, 3, 2, 3]
    assert (read.categories[[0]] @ read.categories[[3]].T).toarray().item() == 1  # both are bread
    assert read.dense.shape == (4, 0)


def test_numbers_are_standardised_and_a_missing_one_says_nothing() -> None:
    dense = ItemFeatures.of(TABLE, ["price"]).dense[:, 0]
    assert dense[2] == 0
    assert dense[[0, 1, 3]].mean() == pytest.approx(0, abs=1e-6)
    assert dense[[0, 1, 3]].std() == pytest.approx(1)


def test_texts_that_share_words_are_near_and_an_item_without_text_has_zeros() -> None:
    dense = ItemFeatures.of(TABLE, ["name"]).dense
    assert dense.shape[1] >= 1
    assert (dense[2] == 0).all()
    bread, milk = dense[0] @ dense[3], dense[0] @ dense[1]
    assert bread > milk


def test_texts_without_a_common_word_are_no_feature() -> None:
    table = pd.DataFrame({"item_id": [1, 2], "name": ["one two three", "four five six"]})
    assert ItemFeatures.of(table, ["name"]).dense.shape == (2, 0)


def test_vectors_of_a_file_belong_to_their_items(tmp_path: Path) -> None:
    path = vectors(tmp_path, {"d": [3.0, 1.0], "a": [1.0, -1.0], "unknown": [9.0, 9.0]})
    dense = ItemFeatures.of(TABLE, [], path).dense
    assert dense.tolist() == [[-1, -1], [0, 0], [0, 0], [1, 1]]


def test_a_column_of_lists_is_a_vector() -> None:
    table = TABLE.assign(image=[[1.0, 2.0], [3.0, 2.0], None, [5.0, 2.0]])
    dense = ItemFeatures.of(table, ["image"]).dense
    assert dense.shape == (4, 2)
    assert (dense[2] == 0).all()
    assert (dense[:, 1] == 0).all()  # a constant says nothing


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"a": [1.0, 2.0], "b": [1.0, 2.0], "d": [1.0]}, "different lengths: 2 numbers, but 1 in row 3"),
        ({"a": [1.0, np.nan]}, "vector of row 0 holds NaN or infinity"),
        ({"b": [np.inf]}, "vector of row 1 holds NaN or infinity"),
        ({"x": [1.0]}, "none of its ids is an item of the data"),
    ],
)
def test_vectors_that_cannot_be_used_are_refused(rows: dict, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        ItemFeatures.of(TABLE, [], vectors(tmp_path, rows))


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(DataError, match="no column 'colour'; it has category, organic, size, price, name"):
        ItemFeatures.of(TABLE, ["colour"])


def test_a_file_that_is_not_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.parquet").write_text("no")
    for path in (tmp_path / "text.parquet", tmp_path / "missing.parquet"):
        with pytest.raises(DataError, match=r"model\.item_vectors=.* not a Parquet file that can be read"):
            ItemFeatures.of(TABLE, [], str(path))
    TABLE.to_parquet(tmp_path / "other.parquet")
    with pytest.raises(DataError, match="needs columns item_id and vector"):
        ItemFeatures.of(TABLE, [], str(tmp_path / "other.parquet"))
    pd.DataFrame({"item_id": ["a", "a"], "vector": [[1.0], [2.0]]}).to_parquet(tmp_path / "two.parquet")
    with pytest.raises(DataError, match="an item has two vectors"):
        ItemFeatures.of(TABLE, [], str(tmp_path / "two.parquet"))
