"""Events and item attributes in the form into which RecBole reads its files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.models.recommenders.recbole.library import module

USER, ITEM, TIME, LABEL = "user_id", "item_id", "timestamp", "label"
_MISSING = "missing"


@dataclass(frozen=True)
class RecBoleTables:
    """The data of a RecBole dataset; ids are indices from 0.

    Attributes:
        events: one row per interaction; columns ``user_id``, ``item_id``, ``timestamp``, and features.
        items: one row per item, ``item_id`` first, then its features; None: there are none.
        triples: a graph of items and attribute values; columns ``head_id``, ``relation_id``, ``tail_id``; or None.
        numbers: the columns that hold numbers; all others hold categories.
    """

    events: pd.DataFrame
    items: pd.DataFrame | None = None
    triples: pd.DataFrame | None = None
    numbers: Sequence[str] = field(default=(TIME, LABEL))


def tables_of(
    offsets: np.ndarray, item_idx: np.ndarray, names: np.ndarray, values: np.ndarray, graph: bool
) -> RecBoleTables:
    """Training events and item attributes.

    The time of an event is its place in the user's history: an order without ties, which is all that RecBole uses.

    Args:
        offsets: user u has the events ``offsets[u]:offsets[u + 1]``, oldest first; shape (U + 1,).
        item_idx: item of each event; shape (E,).
        names: of the attributes; shape (A,).
        values: each item's value of each attribute; shape (I, A).
        graph: whether to make a graph of the attributes.
    """
    lengths = np.diff(offsets)
    events = pd.DataFrame(
        {
            USER: np.repeat(np.arange(len(lengths)), lengths),
            ITEM: item_idx.astype(np.int64),
            TIME: np.arange(len(item_idx)) - np.repeat(offsets[:-1], lengths) + 0.0,
        }
    )
    columns = {name: column.astype(object) for name, column in zip(names, values.T, strict=True)}
    items = pd.DataFrame({ITEM: np.arange(len(values)), **columns}) if columns else None
    return RecBoleTables(events, items, _triples(items) if graph and items is not None else None)


def attribute_values(table: pd.DataFrame, attributes: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Item attributes as text.

    Args:
        table: the item table, ``item_id`` first.
        attributes: which columns; None: every text column but the name.

    Returns:
        Their names, shape (A,), and each item's values, shape (I, A); both of text.

    Raises:
        SettingsError: where an attribute is not in the item table.
    """
    chosen = _text_columns(table) if attributes is None else list(attributes)
    absent = [column for column in chosen if column not in table.columns]
    if absent:
        raise SettingsError(
            f"the item table has no column {absent[0]!r}; it has {', '.join(table.columns[1:]) or 'none'}"
        )
    text = [table[column].astype(object).where(table[column].notna(), _MISSING).astype(str) for column in chosen]
    values = np.array([column.to_numpy(dtype=object) for column in text], dtype=object)
    return np.array(chosen, dtype=str), values.reshape(len(chosen), len(table)).T.astype(str)


def _text_columns(table: pd.DataFrame) -> list[str]:
    return [c for c in table.columns[1:] if c != "name" and pd.api.types.is_string_dtype(table[c].dtype)]


def _triples(items: pd.DataFrame) -> pd.DataFrame:
    """Item -> attribute value, for each attribute; an item is its index, a value has its column's name before it."""
    parts = [
        {"head_id": items[ITEM].astype(str), "relation_id": column, "tail_id": column + "=" + items[column]}
        for column in items.columns[1:]
    ]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True).astype(object)


def dataset(tables: RecBoleTables, config: Any) -> Any:
    """RecBole's dataset for the configured model, filled from memory."""
    return _in_memory(_dataset_class(config)).of(tables, config)


def _dataset_class(config: Any) -> type:
    classes = module("data.dataset")
    families = module("utils").ModelType
    own = getattr(classes, f"{config['model']}Dataset", None)
    by_family = {families.SEQUENTIAL: "SequentialDataset", families.KNOWLEDGE: "KnowledgeBasedDataset"}
    return own or getattr(classes, by_family.get(config["MODEL_TYPE"], "Dataset"))


@cache
def _in_memory(kind: type) -> Any:
    """The class with its readers of files replaced."""
    return type(f"InMemory{kind.__name__}", (_FromMemory, kind), {})


class _FromMemory:
    """A mixin before one of RecBole's dataset classes, whose readers of files it replaces."""

    tables: RecBoleTables

    @classmethod
    def of(cls, tables: RecBoleTables, config: Any) -> Any:
        filled: Any = cls.__new__(cls)
        filled.tables = tables
        filled.__init__(config)
        return filled

    def _load_inter_feat(self, token: str, dataset_path: str) -> None:
        self.inter_feat = self._with_types(self.tables.events, module("utils").FeatureSource.INTERACTION)

    def _load_user_or_item_feat(self, token: str, dataset_path: str, source: Any, field_name: str) -> Any:
        sources = module("utils").FeatureSource
        dataset: Any = self
        if getattr(dataset, field_name) is None:  # the rows have no column of users or items
            return None
        dataset.field2source[getattr(dataset, field_name)] = sources(source.value + "_id")
        if source == sources.USER or self.tables.items is None:
            return None
        items = self._with_types(self.tables.items, source)
        dataset.field2source[dataset.iid_field] = sources.ITEM_ID
        return items

    def _load_additional_feat(self, token: str, dataset_path: str) -> None:
        return None

    def _load_kg(self, token: str, dataset_path: str) -> pd.DataFrame:
        assert self.tables.triples is not None
        return self._with_types(self.tables.triples, module("utils").FeatureSource.KG)

    def _load_link(self, token: str, dataset_path: str) -> tuple[dict, dict]:
        """Every item is the entity of the same name."""
        items = {str(item): str(item) for item in np.unique(self.tables.events[ITEM])}
        return items, dict(items)

    def _fill_nan(self) -> None:
        """Category 0 for RecBole's row of padding, the only one with missing attributes."""
        dataset: Any = self
        for name in dataset.feat_name_list:
            setattr(dataset, name, getattr(dataset, name).fillna(0))

    def _with_types(self, table: pd.DataFrame, source: Any) -> pd.DataFrame:
        """The table, after its columns are registered with their types."""
        kinds = module("utils").FeatureType
        dataset: Any = self
        for column in table.columns:
            number = column in self.tables.numbers
            dataset.set_field_property(column, kinds.FLOAT if number else kinds.TOKEN, source, 1)
            if number:
                dataset.field2bucketnum[column] = 2
        if self.tables.triples is None or ITEM not in table:
            return table.copy()
        return table.assign(**{ITEM: table[ITEM].astype(str).astype(object)})  # as in the graph


def places(dataset: Any, column: str, n: int) -> np.ndarray:
    """RecBole's index of each of our indices 0..n-1, 0 for one without events; shape (n,), int64."""
    indices = dataset.field2token_id[column]
    return np.array([indices.get(str(index), 0) for index in range(n)], dtype=np.int64)
