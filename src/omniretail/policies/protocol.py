"""What a rule is: a policy that may look at the training set first. There is nothing to inherit."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import pandas as pd

from omniretail.core.errors import DataError
from omniretail.views.histories import Histories
from omniretail.views.train import Train

if TYPE_CHECKING:  # a service applies rules to scores and never opens tables
    from omniretail.schema import Tables

Rule = Callable[[np.ndarray, Histories], np.ndarray]
"""Takes scores (B, I) and the users, returns the scores with what must not be shown at -inf, in place where it can.

A rule that has to know more than the users' histories also has ``fit(train)``, which returns it ready for use, and may
have ``unknown(users)``, True for customers about whom it knows nothing and whom it therefore does not limit.
"""

TableOrPath = pd.DataFrame | str | Path | Callable[[], "Tables"]
"""A table: as it is, as a CSV or Parquet file, or in the canonical tables, which are called for when it is needed."""


class Fitted(Protocol):
    """A rule that looks at the training set."""

    def fit(self, train: Train) -> Self:
        """Keep what the rule needs of the facts before the cutoff."""
        ...

    def __call__(self, scores: np.ndarray, users: Histories) -> np.ndarray:
        """See ``Rule``."""
        ...


def fitted(rules: Sequence[Any], train: Train) -> list[Any]:
    """Each ready for use; those without ``fit`` as they are."""
    return [rule.fit(train) if hasattr(rule, "fit") else rule for rule in rules]


def applied(rules: Sequence[Rule], scores: np.ndarray, users: Histories) -> np.ndarray:
    """One rule after the other."""
    for rule in rules:
        scores = rule(scores, users)
    return scores


def described(rule: Any) -> str:
    """A rule and its settings in words, by which results under different policies are told apart.

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
    if not hasattr(rule, "fit") and not hasattr(rule, "carried"):
        return getattr(rule, "__name__", str(rule))
    settings = {name: value for name, value in vars(rule).items() if not name.endswith("_")}
    return f"{type(rule).__name__}({', '.join(f'{name}={described(value)}' for name, value in settings.items())})"


def unknown(rules: Sequence[Any], users: Histories) -> np.ndarray:
    """True for customers about whom any of the rules knows nothing; shape (B,)."""
    said = [rule.unknown(users) for rule in rules if hasattr(rule, "unknown")]
    return np.logical_or.reduce([np.zeros(len(users), dtype=bool), *said])


def table(given: TableOrPath, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """Open a table that a rule was given.

    Args:
        given: see ``TableOrPath``.
        name: of the canonical table, where it comes from those.
        columns: that it must have.

    Raises:
        DataError: where there is no such table or file, or a column is missing.
    """
    if callable(given):
        found = given().named().get(name)
        if found is None:
            raise DataError(f"this source has no table {name}, which the policy asks for; take that rule out")
        frame, place = found.to_pandas(), f"table {name}"
    elif isinstance(given, pd.DataFrame):
        frame, place = given, f"table {name}"
    else:
        frame, place = _read(Path(given)), str(given)
    missing = [column for column in columns if column not in frame]
    if missing:
        raise DataError(f"{place} has no column {', '.join(missing)}; it has {', '.join(map(str, frame.columns))}")
    return frame


def _read(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise DataError(f"{path} is not there: the policy reads it")
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
