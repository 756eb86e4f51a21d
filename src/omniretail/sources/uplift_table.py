"""An uplift experiment of your own: a table with a row per customer, who was treated, and what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
from ibis import _

from omniretail.core.overrides import override
from omniretail.schema import DataError, DatasetCard, Tables
from omniretail.sources.own_tables import with_numbers
from omniretail.sources.parsing.column_names import mapped, nearest
from omniretail.sources.parsing.drop_counting import count_drops
from omniretail.sources.parsing.layout import MISSING, Layout, files_of
from omniretail.sources.parsing.sentences import plain_errors
from omniretail.sources.parsing.staging import parsed, without_repeats
from omniretail.sources.parsing.text_file import read_text
from omniretail.sources.parsing.typed_cells import number
from omniretail.sources.protocol import LOCATION

_COLUMNS = ("user_id", "treated", "outcome", "cost")
_TRUE = ("1", "1.0", "true", "t", "yes", "y", "treatment", "treated", "test")
_FALSE = ("0", "0.0", "false", "f", "no", "n", "control", "none", "no e-mail")


@dataclass(frozen=True)
class UpliftTable:
    """A randomised experiment without a log: features, treatment and outcome of each customer.

    Args:
        path: of the table, in any format that ``CSV`` reads.
        columns: canonical name -> name in the file, for ``user_id`` (optional), ``treated``, ``outcome`` (0/1 or
            true/false) and ``cost`` (of treating the customer, optional).
        treated: value of the treatment column that means treated; None: 1, true, yes, treatment.
        control: value that means control; None: 0, false, no, control. Rows of any other group are dropped, counted.
        features: columns to learn from; empty: all others.
        currency: of the cost.
        title: the dataset's name for people.
        delimiter: between cells, see ``CSV``.
        decimal: ``.`` or ``,``.
        missing: values that stand for an empty cell.
    """

    path: str | Path | None = field(default=None, metadata=LOCATION)
    columns: Mapping[str, str | None] = field(default_factory=dict)
    treated: str | None = None
    control: str | None = None
    features: Sequence[str] = ()
    currency: str = ""
    title: str = "own experiment"
    delimiter: str | None = None
    decimal: str = "."
    missing: Sequence[str] = MISSING

    def files(self) -> list[Path]:
        """See ``Source``.

        Raises:
            DataError: where no path is set.
        """
        if self.path is None:
            raise DataError("no table is named: set source.path, for instance to experiment.csv")
        return files_of(Path(self.path).expanduser())

    def read(self, connection: ibis.BaseBackend) -> Tables:
        """See ``Source``.

        Raises:
            DataError: where a column is missing, or treatment or outcome cannot be read as yes and no.
        """
        path = Path(self.path or self.files()[0]).expanduser()
        table = read_text(connection, path, Layout(delimiter=self.delimiter, missing=self.missing))
        names = mapped(table, path, self.columns, "source.columns", _COLUMNS, ("treated", "outcome"))
        features = self._chosen(table, path, names)
        typed: dict[str, Any] = {each: _[column] for each, column in ({f: f for f in features} | names).items()}
        cells = {"cost": number(names["cost"], self.decimal)} if "cost" in names else {}
        with plain_errors(path):
            typed |= {each: cell.value for each, cell in cells.items()}
            rows = parsed(connection, table, path, typed, cells)
            rows = rows if "user_id" in names else rows.mutate(user_id=_.file_row.cast("string"))
            rows = self._with_groups(rows, path)
            remaining, drops = count_drops(without_repeats(rows, drop=False)[0].drop("file_row"), _REASONS)
            experiment = with_numbers(remaining, features, self.decimal)
        return Tables(_card(self), _one_event_each(experiment), experiment=experiment, drops=drops)

    def _chosen(self, table: ibis.Table, path: Path, names: Mapping[str, str]) -> list[str]:
        """The columns to learn from: those that are named, or all that are not mapped."""
        taken = {*names.values(), *names, *_COLUMNS}
        free = [each for each in table.columns if each not in taken]
        if wrong := [each for each in self.features if each not in free]:
            best = nearest(free, wrong[0]) or free[0] if free else None
            chosen = [each for each in self.features if each not in wrong] + ([best] if best else [])
            raise DataError(
                f"{path} has no column '{wrong[0]}' to learn from; set {override('source.features', chosen)} "
                f"(there are {', '.join(free) or 'none'})"
            )
        return list(self.features) or free

    def _with_groups(self, rows: ibis.Table, path: Path) -> ibis.Table:
        words = {name: self._words(rows, name, path) for name in ("treated", "outcome")}
        return rows.mutate(
            treated=_in(rows["treated"], *words["treated"]),
            outcome=_in(rows["outcome"], *words["outcome"]).cast("float64"),
        )

    def _words(self, rows: ibis.Table, name: str, path: Path) -> tuple[list[str], list[str]]:
        """Values of a column that mean yes, and those that mean no.

        Raises:
            DataError: naming the values, where none means yes or none no.
        """
        values = sorted(rows.select(name).distinct().to_pandas()[name].dropna().astype(str))
        chosen = (self.treated, self.control) if name == "treated" else (None, None)
        yes = [chosen[0]] if chosen[0] else [each for each in values if each.strip().lower() in _TRUE]
        no = [chosen[1]] if chosen[1] else [each for each in values if each.strip().lower() in _FALSE]
        if not (set(yes) & set(values) and set(no) & set(values)):
            shown = ", ".join(map(repr, values[:8]))
            way_out = "source.treated=<value> source.control=<value>" if name == "treated" else "0 and 1 for outcomes"
            raise DataError(f"{path}: which of {shown} in column {name} is yes and which is no? Set {way_out}")
        return yes, no


def _card(source: UpliftTable) -> DatasetCard:
    return DatasetCard(source.title, currency=source.currency, clock=False, note="An experiment; there is no log.")


def _in(column: Any, yes: list[str], no: list[str]) -> Any:
    return ibis.cases((column.isin(yes), True), (column.isin(no), False), else_=None)


def _one_event_each(experiment: ibis.Table) -> ibis.Table:
    """The log that every dataset has: that each customer was part of the experiment."""
    constants = {"item_id": "experiment", "event_type": "receive", "channel": "unknown"}
    literals = {name: ibis.literal(value) for name, value in constants.items()}
    return experiment.select("user_id", timestamp=ibis.timestamp("1970-01-01"), **literals)


_REASONS = {
    "no customer": _.user_id.isnull(),
    "neither treated nor control": _.treated.isnull(),
    "no outcome": _.outcome.isnull(),
}
