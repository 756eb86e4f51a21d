"""A dataset: canonical tables, how they are cut, and where views of them are cached."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniretail.core.errors import DataError, SettingsError
from omniretail.core.overrides import override
from omniretail.schema import Tables
from omniretail.splits.cutoff import Split, Stage, in_zone, refits

if TYPE_CHECKING:
    from omniretail.views.fold import Catalogue, Fold


@dataclass(frozen=True)
class Dataset:
    """What a task is given beside the model.

    Attributes:
        tables: canonical tables.
        split: how events are cut into what is learned from and what is judged; None: not yet said.
        cache: folder of cached views; by default one that ends with the process.
        user_attributes: name of a question -> column of the users table, for tasks that ask about customers.
        settings: that a task of this dataset is composed with, as on the command line, e.g. ``source=beauty``.
    """

    tables: Tables
    split: Split | None = None
    cache: Path = field(default_factory=lambda: _cache_of_this_process())
    user_attributes: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[str] = ()

    def __post_init__(self) -> None:
        zone = self.tables.card.zone
        if zone != "UTC":  # days are those of the customers
            object.__setattr__(self, "split", in_zone(self.split, zone))

    @classmethod
    def from_frames(cls, events: Any, columns: Mapping[str, str] | None = None, **others: Any) -> "Dataset":
        """A dataset from data frames (pandas, polars or Arrow).

        Args:
            events: one row per user, item and occasion.
            columns: canonical name -> column of ``events``, for ``user_id``, ``item_id``, ``timestamp``, ``basket_id``,
                ``quantity``, ``value``, …; one that is left out is taken under its canonical name.
            others: ``items``, ``users``, ``stores``, ``stock``, ``hours``, ``offers``, ``offer_items`` or
                ``offer_events`` as frames with canonical column names, and fields of ``omniretail.sources.csv.CSV``
                such as ``timezone``, ``currency``, ``title``, ``item_columns``.

        Raises:
            DataError: naming the column that is missing, or the cell that is no time or no number.

        >>> import pandas as pd
        >>> log = pd.DataFrame({"who": [1, 1], "item_id": [7, 8], "timestamp": ["2024-05-01", "2024-05-02"]})
        >>> Dataset.from_frames(log, {"user_id": "who"}).tables.events.to_pandas().user_id.tolist()
        ['1', '1']
        """
        from omniretail.sources.frames import tables_of_frames

        tables = tables_of_frames(events, columns or {}, cache=_cache_of_this_process(), **others)
        return cls(tables, user_attributes=checked_attributes(tables, None), settings=("policy=by_repeats",))

    def with_split(self, split: Split) -> "Dataset":
        """The same tables, cut in another way."""
        return replace(self, split=split)

    def required_split(self, may_be_frozen: bool = False) -> Any:
        """The split.

        Args:
            may_be_frozen: whether it may have ``refit=False``, which is for recommenders.

        Raises:
            DataError: where there is none.
            SettingsError: where it does not refit, and has to.
        """
        if self.split is None:
            raise DataError(
                f"{self.tables.card.title}: name a split, such as omniretail.splits.Temporal(horizon_days=28)"
            )
        if not (may_be_frozen or refits(self.split)):
            raise SettingsError("split.refit=False is for task=recommendation and cross_channel; set split.refit=true")
        return self.split

    def fold(self, stage: Stage, catalogue: "Catalogue" = "sold") -> "Fold":
        """What is learned from and what is judged at one stage, through the cache.

        Args:
            stage: ``val`` or ``test``.
            catalogue: ``sold`` or ``listed``, see ``views.fold.training_view``.

        Raises:
            DataError: where the split leaves nothing to learn from or to judge.
        """
        from omniretail.views.cached import (
            load_fold,  # here, so that a frame is taken in without the numerical libraries
        )

        return load_fold(self.tables, self.required_split(may_be_frozen=True), stage, self.cache, catalogue)


def checked_attributes(tables: Tables, attributes: Mapping[str, str] | None) -> Mapping[str, str]:
    """Questions about customers -> columns of the users table; None: every attribute is a question.

    Raises:
        DataError: naming the nearest column, where the table lacks one.
    """
    columns = [] if tables.users is None else [each for each in tables.users.columns if each != "user_id"]
    for name, column in (attributes or {}).items():
        if column not in columns:
            best = get_close_matches(column, columns, n=1) or columns[:1]
            setting = override("user_attributes", {name: best[0]}) if best else "source.users_path=<a file that has it>"
            raise DataError(
                f"customers have no attribute {column}; set {setting} (there are {', '.join(columns) or 'none'})"
            )
    return {column: column for column in columns} if attributes is None else attributes


@cache
def _cache_of_this_process() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="omniretail-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
