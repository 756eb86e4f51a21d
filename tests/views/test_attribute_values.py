import numpy as np
import pandas as pd

from omniretail.views.attribute_values import AttributeValues

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


def encoded(values: AttributeValues, table: pd.DataFrame) -> list[list[str]]:
    matrix = values.encode(table)
    assert set(matrix.data.tolist()) <= {1.0}
    assert matrix.dtype == np.float32
    return [sorted(values.labels[matrix[[row]].indices].tolist()) for row in range(len(table))]


def test_each_cell_is_a_value_and_so_is_each_of_its_words() -> None:
    assert encoded(AttributeValues.of(TABLE), TABLE) == [
        ["category=BREAD", "department=1", "own_brand=True"],
        ["category=BREAD", "category=WHITE", "category=WHITE BREAD", "department=2", "own_brand=False"],
        ["department=2", "own_brand=True"],
        ["category=BREAD", "department=1", "own_brand=True"],
    ]


def test_values_are_sorted_and_each_is_there_once() -> None:
    values = AttributeValues.of(TABLE).labels.tolist()
    assert values == sorted(set(values))


def test_neither_ids_nor_names_nor_numbers_with_decimals_are_values() -> None:
    kinds = {value.split("=")[0] for value in AttributeValues.of(TABLE).labels}
    assert kinds == {"category", "department", "own_brand"}


def test_values_of_other_tables_are_ignored() -> None:
    others = pd.DataFrame({"item_id": [1, 2], "category": ["RYE BREAD", "MILK"], "colour": ["red", "blue"]})
    assert encoded(AttributeValues.of(TABLE), others) == [["category=BREAD"], []]


def test_a_repeated_word_counts_once() -> None:
    table = pd.DataFrame({"item_id": [1], "category": ["BREAD BREAD"]})
    assert encoded(AttributeValues.of(table), table) == [["category=BREAD", "category=BREAD BREAD"]]


def test_the_rows_numbers_do_not_matter() -> None:
    shuffled = TABLE.iloc[[2, 0]]
    assert encoded(AttributeValues.of(TABLE), shuffled) == [
        encoded(AttributeValues.of(TABLE), TABLE)[row] for row in (2, 0)
    ]


def test_categories_and_strings_give_the_same_values() -> None:
    categorical = TABLE.astype({"category": "category"})
    assert encoded(AttributeValues.of(categorical), categorical) == encoded(AttributeValues.of(TABLE), TABLE)


def test_a_table_without_attributes_has_no_values() -> None:
    for table in (TABLE[["item_id"]], TABLE[["item_id", "price"]], TABLE[:0], TABLE[["item_id"]].assign(empty=None)):
        values = AttributeValues.of(table)
        assert values.labels.shape == (0,)
        assert values.encode(table).shape == (len(table), 0)


def test_values_read_from_a_file_encode_alike() -> None:
    values = AttributeValues.of(TABLE)
    again = AttributeValues(np.array(values.labels.tolist(), dtype=values.labels.dtype))
    np.testing.assert_array_equal(again.encode(TABLE).toarray(), values.encode(TABLE).toarray())
