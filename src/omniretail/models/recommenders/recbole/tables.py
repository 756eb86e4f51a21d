"""Our events and item attributes in the form RecBole reads its files into, without the files."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from omniretail.models.recommenders.recbole.library import module

USER, ITEM, TIME, LABEL = "user_id", "item_id", "timestamp", "label"
_MISSING = "missing"


@dataclass(frozen=True)
class RecBoleTables:
    """What a RecBole dataset is made of; ids are indices, counted from 0.

    Attributes:
        events: one row per interaction; columns ``user_id``, ``item_id``, ``timestamp``, and features.
        items: one row per item, ``item_id`` first, then its features; None: there are none.
        triples: a graph of items and what they belong to; columns ``head_id``, ``relation_id``, ``tail_id``; or None.
        numbers: the columns that hold numbers; all others hold categories.
    """

    events: pd.DataFrame
    items: pd.DataFrame | None = None
    triples: pd.DataFrame | None = None
    numbers: Sequence[str] = field(default=(TIME, LABEL))


def tables_of(
    offsets: np.ndarray, item_idx: np.ndarray, names: np.ndarray, words: np.ndarray, graph: bool
) -> RecBoleTables:
    """Training events and item attributes.

    A user's events are timed by their place in the history: an order without ties, which is all that RecBole uses.

    Args:
        offsets: user u owns the events ``offsets[u]:offsets[u + 1]``, oldest first; shape (U + 1,).
        item_idx: what was touched; shape (E,).
        names: of the attributes; shape (A,).
        words: each item's value of each attribute; shape (I, A).
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
    columns = {name: column.astype(object) for name, column in zip(names, words.T, strict=True)}
    items = pd.DataFrame({ITEM: np.arange(len(words)), **columns}) if columns else None
    return RecBoleTables(events, items, _triples(items) if graph and items is not None else None)


def attribute_words(table: pd.DataFrame, attributes: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Item attributes as words.

    Args:
        table: the item table, ``item_id`` first.
        attributes: which columns; None: every column of words but the name.

    Returns:
        Their names, shape (A,), and each item's values, shape (I, A); both of text.

    Raises:
        ValueError: where an attribute is not in the item table.
    """
    chosen = _word_columns(table) if attributes is None else list(attributes)
    absent = [column for column in chosen if column not in table.columns]
    if absent:
        raise ValueError(f"the item table has no column {absent[0]!r}; it has {', '.join(table.columns[1:]) or 'none'}")
    words = [table[column].astype(object).where(table[column].notna(), _MISSING).astype(str) for column in chosen]
    values = np.array([column.to_numpy(dtype=object) for column in words], dtype=object).reshape(
        len(chosen), len(table)
    )
    return np.array(chosen, dtype=str), values.T.astype(str)


def _word_columns(table: pd.DataFrame) -> list[str]:
    return [c for c in table.columns[1:] if c != "name" and pd.api.types.is_string_dtype(table[c].dtype)]


def _triples(items: pd.DataFrame) -> pd.DataFrame:
    """Item -> attribute value, for each attribute; items bear their index, values their column's name before them."""
    parts = [
        {"head_id": items[ITEM].astype(str), "relation_id": column, "tail_id": column + "=" + items[column]}
        for column in items.columns[1:]
    ]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True).astype(object)


def dataset(tables: RecBoleTables, config: Any) -> Any:
    """RecBole's dataset for the configured model, filled from memory."""
    kind = _in_memory(_dataset_class(config))
    return kind.holding(tables, config)


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
    """Goes before one of RecBole's dataset classes, whose readers of files it replaces."""

    tables: RecBoleTables

    @classmethod
    def holding(cls, tables: RecBoleTables, config: Any) -> Any:
        made: Any = cls.__new__(cls)
        made.tables = tables
        made.__init__(config)
        return made

    def _load_inter_feat(self, token: str, dataset_path: str) -> None:
        self.inter_feat = self._taken(self.tables.events, module("utils").FeatureSource.INTERACTION)

    def _load_user_or_item_feat(self, token: str, dataset_path: str, source: Any, field_name: str) -> Any:
        sources = module("utils").FeatureSource
        dataset: Any = self
        if getattr(dataset, field_name) is None:  # rows of which neither users nor items are named
            return None
        dataset.field2source[getattr(dataset, field_name)] = sources(source.value + "_id")
        if source == sources.USER or self.tables.items is None:
            return None
        taken = self._taken(self.tables.items, source)
        dataset.field2source[dataset.iid_field] = sources.ITEM_ID
        return taken

    def _load_additional_feat(self, token: str, dataset_path: str) -> None:
        return None

    def _load_kg(self, token: str, dataset_path: str) -> pd.DataFrame:
        assert self.tables.triples is not None
        return self._taken(self.tables.triples, module("utils").FeatureSource.KG)

    def _load_link(self, token: str, dataset_path: str) -> tuple[dict, dict]:
        """Every item is the entity of its own name."""
        items = {str(item): str(item) for item in np.unique(self.tables.events[ITEM])}
        return items, dict(items)

    def _fill_nan(self) -> None:
        """Category 0 for RecBole's own row of padding, whose attributes are missing; nothing else is."""
        dataset: Any = self
        for name in dataset.feat_name_list:
            setattr(dataset, name, getattr(dataset, name).fillna(0))

    def _taken(self, table: pd.DataFrame, source: Any) -> pd.DataFrame:
        kinds = module("utils").FeatureType
        dataset: Any = self
        for column in table.columns:
            number = column in self.tables.numbers
            dataset.set_field_property(column, kinds.FLOAT if number else kinds.TOKEN, source, 1)
            if number:
                dataset.field2bucketnum[column] = 2
        if self.tables.triples is None or ITEM not in table:
            return table.copy()
        return table.assign(**{ITEM: table[ITEM].astype(str).astype(object)})  # to be matched with the graph's words


def places(dataset: Any, column: str, n: int) -> np.ndarray:
    """RecBole's number for each of our indices 0..n-1, 0 where it saw none of its events; shape (n,), int64."""
    numbers = dataset.field2token_id[column]
    return np.array([numbers.get(str(index), 0) for index in range(n)], dtype=np.int64)
