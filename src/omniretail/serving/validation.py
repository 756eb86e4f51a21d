"""The fields of a request, checked one by one; an error names the field."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from omniretail.ids import Vocabulary

_SHOWN = 20


class RequestError(ValueError):
    """A request that cannot be answered as it is; the message begins with the field's name."""


def known_fields(frame: pd.DataFrame, known: Sequence[str]) -> None:
    """Hold the columns of a request against the fields there are.

    Raises:
        RequestError: naming a column that is none of them; or where there is no column, which is what MLflow leaves of
            a request that names no field of the signature.
    """
    if not len(frame.columns):
        raise RequestError(f"the request names none of the fields {', '.join(known)}")
    for column in frame.columns:
        if column not in known:
            near = get_close_matches(str(column), known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise RequestError(f"{column}: there is no such field; {hint}")


def given(frame: pd.DataFrame, field: str) -> list[Any]:
    """A field of every row, None where it was not given."""
    if field not in frame.columns:
        return [None] * len(frame)
    return [None if _is_missing(each) else each for each in frame[field]]


def as_list(field: str, value: Any) -> list[Any]:
    """A list, from JSON or Parquet.

    Raises:
        RequestError: where it is something else.
    """
    if isinstance(value, np.ndarray):
        return value.tolist()
    if not isinstance(value, list | tuple):
        raise RequestError(f"{field}: a list is expected, not {_said(value)}")
    return list(value)


def as_count(field: str, value: Any, most: int) -> int:
    """A whole number from 1 to ``most``.

    Raises:
        RequestError: where it is something else.
    """
    number = _whole(value)
    if number is None or not 1 <= number <= most:
        raise RequestError(f"{field}: a whole number from 1 to {most:,} is expected, not {_said(value)}")
    return number


def as_number(field: str, value: Any) -> float:
    """A finite number.

    Raises:
        RequestError: where it is something else.
    """
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number) or not np.isfinite(value):
        raise RequestError(f"{field}: a number is expected, not {_said(value)}")
    return float(value)


def as_word(field: str, value: Any, known: Vocabulary) -> int:
    """The number of a word that must be known.

    Raises:
        RequestError: where it is not.
    """
    found = int(numbers(field, [value], known)[0])
    if found < 0:
        words = ", ".join(map(str, known.ids[:_SHOWN]))
        more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
        raise RequestError(f"{field}: {_said(value)} is not known; this model knows {words or 'none'}{more}")
    return found


def numbers(field: str, ids: Sequence[Any], known: Vocabulary) -> np.ndarray:
    """Raw ids as numbers, -1 where an id is not known or None; int32, shape (n,).

    Raises:
        RequestError: where an id is of another type than those of the model.
    """
    if not len(ids):
        return np.zeros(0, dtype=np.int32)
    whole = pd.api.types.is_integer_dtype(known.ids)
    plain = _plain(ids, whole)
    if plain is None:
        wrong = next(each for each in ids if each is not None and not _fits(each, whole))
        wanted = "integers" if whole else "text"
        raise RequestError(f"{field}: {_said(wrong)} is of the wrong type; this model's ids are {wanted}")
    return known.encode(plain)


def _plain(ids: Sequence[Any], whole: bool) -> Any:
    """Ids of one type, with one that nobody has in place of None; None where one is of the wrong type."""
    kind = pd.api.types.infer_dtype(ids, skipna=False)
    if kind == ("integer" if whole else "string"):
        return ids
    if not all(each is None or _fits(each, whole) for each in ids):
        return None
    if whole:  # a column with gaps arrives as floats
        return pd.array([None if each is None else int(each) for each in ids], dtype="Int64")
    return pd.array(list(ids), dtype="str")


def _fits(value: Any, whole: bool) -> bool:
    return _whole(value) is not None if whole else isinstance(value, str)


def _whole(value: Any) -> int | None:
    """The integer that a JSON number stands for; None where it stands for none."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return int(value) if float(value).is_integer() else None


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _said(value: Any) -> str:
    text = repr(value.item() if isinstance(value, np.generic) else value)
    return text if len(text) <= 60 else f"{text[:57]}…"
