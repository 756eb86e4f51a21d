"""The fields of a request, checked one by one; an error names the field."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.errors import DataError
from omniretail.ids import Vocabulary

_SHOWN = 20
_LEAST, _MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


class RequestError(DataError):
    """A request that cannot be answered as it is; the message begins with the field's name."""


def check_fields(frame: pd.DataFrame, fields: Sequence[str]) -> None:
    """Refuse a request with columns that are no fields.

    Raises:
        RequestError: naming a column that is no field; or where there is no column, which is what MLflow leaves of a
            request that names no field of the signature.
    """
    if not len(frame.columns):
        raise RequestError(f"the request names none of the fields {', '.join(fields)}")
    for column in frame.columns:
        if column not in fields:
            near = get_close_matches(str(column), fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(fields)}"
            raise RequestError(f"{column}: there is no such field; {hint}")


def values_of(frame: pd.DataFrame, field: str) -> list[Any]:
    """A field of every row, None where the row has no value for it."""
    if field not in frame.columns:
        return [None] * len(frame)
    return [None if _is_missing(each) else each for each in frame[field]]


def text_ids(vocabularies: Mapping[str, Vocabulary]) -> set[str]:
    """The fields whose vocabulary holds text."""
    return {field for field, each in vocabularies.items() if not pd.api.types.is_integer_dtype(each.ids)}


def as_list(field: str, value: Any) -> list[Any]:
    """A list, from JSON or Parquet.

    Raises:
        RequestError: where it is something else.
    """
    if isinstance(value, np.ndarray):
        return value.tolist()
    if not isinstance(value, list | tuple):
        raise RequestError(f"{field}: a list is expected, not {shown(value)}")
    return list(value)


def as_count(field: str, value: Any, most: int) -> int:
    """A whole number from 1 to ``most``.

    Raises:
        RequestError: where it is something else.
    """
    number = _whole(value)
    if number is None or not 1 <= number <= most:
        raise RequestError(f"{field}: a whole number from 1 to {most:,} is expected, not {shown(value)}")
    return number


def as_number(field: str, value: Any, most: float = np.inf) -> float:
    """A finite number, at most ``most`` above or below zero.

    Raises:
        RequestError: where it is something else.
    """
    if not is_number(value) or abs(float(value)) > most:
        raise RequestError(f"{field}: a number is expected, not {shown(value)}")
    return float(value)


_LARGEST = (1e11, 1e14, 1e17)
"""Above the first a number is no time in seconds (the year 5138) but in milliseconds, and so on."""


def as_seconds(field: str, values: Sequence[Any]) -> np.ndarray:
    """Times in seconds since 1970, from Unix times, ISO 8601 text or Parquet's timestamps; int64, shape (n,).

    Numbers are seconds, or the milli-, micro- or nanoseconds that a browser or a database writes, by their size.

    Raises:
        RequestError: where one of them is neither.
    """
    try:
        if all(map(is_number, values)):
            times = np.array(values, dtype=np.float64)
            unit = 1000.0 ** np.searchsorted(_LARGEST, np.abs(times))
            return np.floor(times / unit).astype(np.int64)
        if any(isinstance(each, bool | int | float | np.number) for each in values):  # infinite, or beside text
            raise ValueError
        return pd.to_datetime(list(values), utc=True, format="ISO8601").as_unit("s").asi8
    except (ValueError, TypeError, OverflowError):
        value = f", not {shown(values[0])}" if len(values) == 1 else ""
        raise RequestError(f"{field}: a time is ISO 8601 or seconds since 1970{value}") from None


def as_index(field: str, value: Any, vocabulary: Vocabulary) -> int:
    """The index of a value that must be in the vocabulary.

    Raises:
        RequestError: where it is not.
    """
    index = int(indices(field, [value], vocabulary)[0])
    if index < 0:
        listed = ", ".join(map(str, vocabulary.ids[:_SHOWN]))
        more = f" and {len(vocabulary) - _SHOWN:,} more" if len(vocabulary) > _SHOWN else ""
        raise RequestError(f"{field}: {shown(value)} is not known; this model knows {listed or 'none'}{more}")
    return index


def indices(field: str, ids: Sequence[Any], vocabulary: Vocabulary) -> np.ndarray:
    """Raw ids as indices, -1 where an id is not in the vocabulary or None; int32, shape (n,).

    Raises:
        RequestError: where an id is of another type than those of the model.
    """
    if not len(ids):
        return np.zeros(0, dtype=np.int32)
    integers = pd.api.types.is_integer_dtype(vocabulary.ids)
    plain = _of_one_type(ids, integers)
    if plain is None:
        wrong = next(each for each in ids if each is not None and not _has_type(each, integers))
        expected = "integers" if integers else "text"
        raise RequestError(f"{field}: {shown(wrong)} is of the wrong type; this model's ids are {expected}")
    return vocabulary.encode(plain)


def is_number(value: Any) -> bool:
    """Whether it is a finite number of at most 64 bits; True and False are none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    return bool(_LEAST <= value <= _MOST if isinstance(value, int | np.integer) else np.isfinite(value))


def shown(value: Any) -> str:
    """A value as an error message shows it."""
    try:
        text = repr(value.item() if isinstance(value, np.generic) else value)
    except ValueError:  # Python refuses to write out thousands of digits
        text = "a number of thousands of digits"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _of_one_type(ids: Sequence[Any], integers: bool) -> Any:
    """Ids of one type, missing ones in a form that no id has; None where one is of the wrong type."""
    kind = pd.api.types.infer_dtype(ids, skipna=False)
    if kind == ("integer" if integers else "string"):
        return ids if not integers or all(map(is_number, ids)) else None
    if not all(each is None or _has_type(each, integers) for each in ids):
        return None
    if integers:  # a column with gaps arrives as floats
        return pd.array([None if each is None else int(each) for each in ids], dtype="Int64")
    return pd.array(list(ids), dtype="str")


def _has_type(value: Any, integers: bool) -> bool:
    return _whole(value) is not None if integers else isinstance(value, str)


def _whole(value: Any) -> int | None:
    """The integer that a JSON number stands for; None where it stands for none."""
    whole = is_number(value) and _LEAST <= value <= _MOST and float(value).is_integer()
    return int(value) if whole else None


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))
