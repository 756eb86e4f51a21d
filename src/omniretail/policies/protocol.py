"""The protocol of rules: policies that may be fitted on the training set. There is nothing to inherit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd
from scipy import sparse

from omniretail.core.errors import DataError
from omniretail.core.overrides import override
from omniretail.views.histories import Histories
from omniretail.views.train import Train

if TYPE_CHECKING:  # a service applies rules to scores and never opens tables
    from omniretail.schema import Tables

_IDS = ("user_id", "item_id", "store_id", "offer_id")

Rule = Callable[[np.ndarray, Histories], np.ndarray]
"""Takes scores (B, I) and the users, returns the scores with hidden items at -inf, in place where it can.

A rule that needs more than the users' histories is ``Fitted``, and may have a ``Scope``.
"""


@dataclass(frozen=True)
class FileOrTable:
    """A file; where there is none, the table of the dataset itself.

    Attributes:
        file: path of a CSV or Parquet file.
        tables: loads the canonical tables when they are needed.
    """

    file: str
    tables: Callable[[], "Tables"]

    def __str__(self) -> str:
        return self.file


TableOrPath = pd.DataFrame | str | Path | FileOrTable | Callable[[], "Tables"]
"""A data frame, the path of a CSV or Parquet file, or what loads the canonical tables when they are needed."""


@runtime_checkable
class Fitted(Protocol):
    """A rule, or a part of one, that is fitted on the training set."""

    def fit(self, train: Train) -> Self:
        """Learn what the rule needs from the data before the cutoff."""
        ...


@runtime_checkable
class Scope(Protocol):
    """A rule that does not limit customers of whom it has no data."""

    def unknown(self, users: Histories) -> np.ndarray:
        """True for such customers; shape (B,)."""
        ...


@runtime_checkable
class Carries(Protocol):
    """Which items a store can hand out."""

    def carried(self, train: Train) -> sparse.csr_array:
        """Nonzero where the store has the item; shape (S, I)."""
        ...


def fitted(rules: Sequence[Any], train: Train) -> list[Any]:
    """Each rule, fitted where it learns."""
    return [rule.fit(train) if isinstance(rule, Fitted) else rule for rule in rules]


def applied(rules: Sequence[Rule], scores: np.ndarray, users: Histories) -> np.ndarray:
    """One rule after the other."""
    for rule in rules:
        scores = rule(scores, users)
    return scores


def described(rule: Any) -> str:
    """A rule and its settings as text, by which results under different policies are distinguished.

    >>> from omniretail.policies.lists import CategoryCap
    >>> described(CategoryCap(cap=3))
    'CategoryCap(cap=3, column=category)'
    """
    if isinstance(rule, partial):
        return rule.func.__name__
    if isinstance(rule, Sequence) and not isinstance(rule, str):
        return f"[{', '.join(map(described, rule))}]"
    if isinstance(rule, pd.DataFrame):
        return f"a table of {len(rule):,} rows"
    if not isinstance(rule, Fitted | Carries):
        return getattr(rule, "__name__", str(rule))
    settings = {name: value for name, value in vars(rule).items() if not name.endswith("_")}
    return f"{type(rule).__name__}({', '.join(f'{name}={described(value)}' for name, value in settings.items())})"


def unknown(rules: Sequence[Any], users: Histories) -> np.ndarray:
    """True for customers of whom any of the rules has no data; shape (B,)."""
    masks = [rule.unknown(users) for rule in rules if isinstance(rule, Scope)]
    return np.logical_or.reduce([np.zeros(len(users), dtype=bool), *masks])


def table(source: TableOrPath, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Open the table of a rule.

    Args:
        source: see ``TableOrPath``.
        name: of the canonical table, where ``source`` loads those.
        columns: that it must have.

    Raises:
        DataError: where there is no such table or file, or a column is missing.
    """
    if isinstance(source, FileOrTable):
        frame, place = _file_or_table(source, name)
    elif callable(source):
        frame, place = canonical_table(source(), name), f"table {name}"
    elif isinstance(source, pd.DataFrame):
        frame, place = source, f"table {name}"
    else:
        frame, place = _read(Path(source)), str(source)
    require_columns(place, frame, columns)
    return frame


def canonical_table(tables: "Tables", name: str) -> pd.DataFrame:
    """One of a dataset's tables.

    Raises:
        DataError: where the dataset does not have it.
    """
    if name not in (named := tables.named()):
        raise DataError(f"{tables.card.title} has no table {name}, which the policy needs; remove that rule")
    return named[name].to_pandas()


def require_columns(place: str, frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse a table that lacks columns.

    Raises:
        DataError: naming them and those that the table has.
    """
    missing = [column for column in columns if column not in frame]
    if missing:
        raise DataError(f"{place} has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")


def _file_or_table(source: FileOrTable, name: str) -> tuple[pd.DataFrame, str]:
    if Path(source.file).is_file():
        return _read(Path(source.file)), source.file
    tables = source.tables()
    if name not in (named := tables.named()):
        raise DataError(
            f"{source.file} does not exist, and {tables.card.title} has no table {name}, which the policy needs; "
            f"set {override(f'source.{name}_path', f'{name}.csv')} or write the file"
        )
    return named[name].to_pandas(), f"table {name}"


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path} does not exist, and the policy reads it")
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    frame = pd.read_csv(path, dtype=dict.fromkeys(_IDS, str))
    for name in (each for each in _IDS if each in frame):
        if frame[name].str.fullmatch(r"-?\d+\.0").fillna(True).all():  # integers beside missing values
            frame[name] = frame[name].str.removesuffix(".0")
    return frame
