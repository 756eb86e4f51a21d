import numpy as np
import pandas as pd

from omniretail.views.attribute_words import AttributeValues

TABLE = pd.DataFrame(
    {
        "item_id": [11, 12, 13, 14],
        "category": ["BREAD", "WHITE BREAD", None, "BREAD"],
        "department": [1, 2, 2, 1],
        "price": [1.5, 2.0, 0.5, 3.0],
        "name": ["Loaf", "Toast", "Milk", "Roll"],
        "own_brand": [True, False, True, True],
    }
)


def said(words: AttributeValues, table: pd.DataFrame) -> list[list[str]]:
    matrix = words.encode(table)
    assert set(matrix.data.tolist()) <= {1.0}
    assert matrix.dtype == np.float32
    return [sorted(words.words[matrix[[row]].indices].tolist()) for row in range(len(table))]


def test_each_value_is_a_word_and_so_is_each_of_its_parts() -> None:
    assert said(AttributeValues.of(TABLE), TABLE) == [
        ["category=BREAD", "department=1", "own_brand=True"],
        ["category=BREAD", "category=WHITE", "category=WHITE BREAD", "department=2", "own_brand=False"],
        ["department=2", "own_brand=True"],
        ["category=BREAD", "department=1", "own_brand=True"],
    ]


def test_words_are_sorted_and_each_is_there_once() -> None:
    words = AttributeValues.of(TABLE).words.tolist()
    assert words == sorted(set(words))


def test_neither_ids_nor_names_nor_measures_are_words() -> None:
    kinds = {word.split("=")[0] for word in AttributeValues.of(TABLE).words}
    assert kinds == {"category", "department", "own_brand"}


def test_unknown_words_are_left_out() -> None:
    others = pd.DataFrame({"item_id": [1, 2], "category": ["RYE BREAD", "MILK"], "colour": ["red", "blue"]})
    assert said(AttributeValues.of(TABLE), others) == [["category=BREAD"], []]


def test_a_word_said_twice_counts_once() -> None:
    table = pd.DataFrame({"item_id": [1], "category": ["BREAD BREAD"]})
    assert said(AttributeValues.of(table), table) == [["category=BREAD", "category=BREAD BREAD"]]


def test_the_rows_numbers_do_not_matter() -> None:
    shuffled = TABLE.iloc[[2, 0]]
    assert said(AttributeValues.of(TABLE), shuffled) == [said(AttributeValues.of(TABLE), TABLE)[row] for row in (2, 0)]


def test_categories_and_strings_are_the_same_words() -> None:
    categorical = TABLE.astype({"category": "category"})
    assert said(AttributeValues.of(categorical), categorical) == said(AttributeValues.of(TABLE), TABLE)


def test_where_nothing_is_said_there_are_no_words() -> None:
    for table in (TABLE[["item_id"]], TABLE[["item_id", "price"]], TABLE[:0], TABLE[["item_id"]].assign(empty=None)):
        words = AttributeValues.of(table)
        assert words.words.shape == (0,)
        assert words.encode(table).shape == (len(table), 0)


def test_words_read_from_a_file_encode_alike() -> None:
    words = AttributeValues.of(TABLE)
    again = AttributeValues(np.array(words.words.tolist(), dtype=words.words.dtype))
    np.testing.assert_array_equal(again.encode(TABLE).toarray(), words.encode(TABLE).toarray())
