"""Which items a request allows: white lists, black lists, filters on attributes of items."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from omniretail.serving.validation import RequestError, as_list, as_number, indices, values_of
from omniretail.views.train import Train

_BOUNDS = ("min", "max")


class ItemFilters:
    """Masks of the catalogue, one per request.

    Args:
        train: its items and their attributes.
    """

    def __init__(self, train: Train) -> None:
        self.items = train.items
        self.table = train.item_table

    def allowed(self, frame: pd.DataFrame) -> np.ndarray | None:
        """True where an item may be shown; shape (B, I); None where no request limits anything.

        Raises:
            RequestError: naming ``exclude``, ``candidates`` or ``filters``.
        """
        fields = {name: values_of(frame, name) for name in ("exclude", "candidates", "filters")}
        if all(value is None for values in fields.values() for value in values):
            return None
        allowed = np.ones((len(frame), len(self.items)), dtype=bool)
        for row, mask in enumerate(allowed):
            if fields["candidates"][row] is not None:
                mask &= self._listed("candidates", fields["candidates"][row])
            if fields["exclude"][row] is not None:
                mask &= ~self._listed("exclude", fields["exclude"][row])
            for column, condition in self._filters(fields["filters"][row]).items():
                mask &= self._matching(column, condition)
        return allowed

    def _listed(self, field: str, ids: Any) -> np.ndarray:
        """True for the items listed; ids that are not in the catalogue are ignored; shape (I,)."""
        listed = indices(field, as_list(field, ids), self.items)
        mask = np.zeros(len(self.items), dtype=bool)
        mask[listed[listed >= 0]] = True
        return mask

    def _filters(self, filters: Any) -> dict[str, Any]:
        if filters is None:
            return {}
        if not isinstance(filters, Mapping):
            raise RequestError("filters: a mapping from an item's attribute to its values is expected")
        for column in filters:
            if column not in self.table or column == "item_id":
                near = get_close_matches(str(column), list(map(str, self.table.columns)), n=1)
                attributes = [str(name) for name in self.table.columns if name != "item_id"]
                hint = f"did you mean {near[0]}?" if near else f"they have {', '.join(attributes) or 'none'}"
                raise RequestError(f"filters: items have no attribute {str(column)!r}; {hint}")
        return {column: each for column, each in filters.items() if each is not None}  # Parquet fills gaps with None

    def _matching(self, column: str, condition: Any) -> np.ndarray:
        """True where the attribute has one of the values, or lies between the bounds; shape (I,)."""
        values = self.table[column]
        if not isinstance(condition, Mapping):
            several = isinstance(condition, list | tuple | np.ndarray)
            return values.isin(list(condition) if several else [condition]).to_numpy(bool)
        if not condition or not set(condition) <= set(_BOUNDS):
            raise RequestError(f"filters: {column} takes values, or bounds as min and max")
        if not pd.api.types.is_numeric_dtype(values):
            raise RequestError(f"filters: {column} is no number, so it has no min and max; list its values instead")
        low, high = (
            as_number(f"filters: {column}", condition[name]) if condition.get(name) is not None else default
            for name, default in zip(_BOUNDS, (-np.inf, np.inf), strict=True)
        )
        numeric = values.to_numpy(np.float64, na_value=np.nan)
        return (numeric >= low) & (numeric <= high)
