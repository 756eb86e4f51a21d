"""What a request itself leaves to be shown: white lists, black lists, filters on attributes of items."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from omniretail.serving.validation import RequestError, as_list, as_number, given, numbers
from omniretail.views.train import Train

_BOUNDS = ("min", "max")


class Candidates:
    """Masks of the catalogue, as requests ask for them.

    Args:
        train: its items and their attributes.
    """

    def __init__(self, train: Train) -> None:
        self.items = train.items
        self.table = train.item_table

    def of(self, frame: pd.DataFrame) -> np.ndarray | None:
        """True where an item may be shown; shape (B, I); None where no row limits anything.

        Raises:
            RequestError: naming ``exclude``, ``candidates`` or ``filters``.
        """
        fields = {name: given(frame, name) for name in ("exclude", "candidates", "filters")}
        if all(value is None for values in fields.values() for value in values):
            return None
        allowed = np.ones((len(frame), len(self.items)), dtype=bool)
        for row, mask in enumerate(allowed):
            if fields["candidates"][row] is not None:
                mask &= self._named("candidates", fields["candidates"][row])
            if fields["exclude"][row] is not None:
                mask &= ~self._named("exclude", fields["exclude"][row])
            for column, wanted in self._filters(fields["filters"][row]).items():
                mask &= self._matching(column, wanted)
        return allowed

    def _named(self, field: str, ids: Any) -> np.ndarray:
        """True for the items named; one that the catalogue does not have names nothing; shape (I,)."""
        found = numbers(field, as_list(field, ids), self.items)
        mask = np.zeros(len(self.items), dtype=bool)
        mask[found[found >= 0]] = True
        return mask

    def _filters(self, filters: Any) -> dict[str, Any]:
        if filters is None:
            return {}
        if not isinstance(filters, Mapping):
            raise RequestError("filters: a mapping from an item's attribute to its values is expected")
        for column in filters:
            if column not in self.table or column == "item_id":
                near = get_close_matches(str(column), list(map(str, self.table.columns)), n=1)
                known = [str(name) for name in self.table.columns if name != "item_id"]
                hint = f"did you mean {near[0]}?" if near else f"they have {', '.join(known) or 'none'}"
                raise RequestError(f"filters: items have no attribute {str(column)!r}; {hint}")
        return {column: wanted for column, wanted in filters.items() if wanted is not None}  # Parquet fills gaps so

    def _matching(self, column: str, wanted: Any) -> np.ndarray:
        """True where the attribute has one of the values, or lies between the bounds; shape (I,)."""
        values = self.table[column]
        if not isinstance(wanted, Mapping):
            several = isinstance(wanted, list | tuple | np.ndarray)
            return values.isin(list(wanted) if several else [wanted]).to_numpy(bool)
        if not wanted or not set(wanted) <= set(_BOUNDS):
            raise RequestError(f"filters: {column} takes values, or bounds as min and max")
        if not pd.api.types.is_numeric_dtype(values):
            raise RequestError(f"filters: {column} is no number, so it has no min and max; give its values")
        low, high = (
            as_number(f"filters: {column}", wanted[name]) if wanted.get(name) is not None else default
            for name, default in zip(_BOUNDS, (-np.inf, np.inf), strict=True)
        )
        numeric = values.to_numpy(np.float64, na_value=np.nan)
        return (numeric >= low) & (numeric <= high)
