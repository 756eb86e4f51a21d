"""The one page frame of all tasks: sentences, tables and charts as one HTML file that opens without a network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert
from altair import SCHEMA_VERSION
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from omniretail.report.charts.chart import Chart
from omniretail.report.charts.style import LineStyle
from omniretail.report.tables.text_table import TextTable
from omniretail.schema import DatasetCard

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Table:
    """A table of texts that a reader can sort, filter and copy.

    Attributes:
        cells: names in the first column.
        notes: how to read it, in sentences.
        bold: (row, column) of the cells that stand out, by position.
        faint: name of the row that stays in the background.
        styles: symbol and colour before the name of a row, by name.
        bars: a bar under the text of each cell of a column, by column; a value in [−1, 1] per row. Below zero it
            goes to the left of the middle; where no value of the column is, it starts at the left.
        links: where the name of each row leads; empty: nowhere, or a row without one.
    """

    cells: pd.DataFrame
    notes: Sequence[str] = ()
    bold: frozenset[tuple[int, int]] = field(default_factory=frozenset)
    faint: str | None = None
    styles: Mapping[str, LineStyle] = field(default_factory=dict)
    bars: Mapping[str, Sequence[float]] = field(default_factory=dict)
    links: Sequence[str] = ()

    @classmethod
    def of_text(cls, table: TextTable, styles: Mapping[str, LineStyle] | None = None) -> "Table":
        """A table as the terminal shows it."""
        return cls(table.cells, table.sentences, table.bold, table.faint, styles or {})

    def rows(self) -> list[list[dict[str, Any]]]:
        """Every cell as the template needs it: its text, whether it is bold, and the ends of its bar in per cent."""
        bars = {list(self.cells.columns).index(name): _ends(values) for name, values in self.bars.items()}
        return [
            [
                {
                    "text": str(text),
                    "bold": (row, column) in self.bold,
                    "bar": bars[column][row] if column in bars else None,
                    "link": self.links[row] if self.links and not column else "",
                }
                for column, text in enumerate(texts)
            ]
            for row, texts in enumerate(self.cells.to_numpy().tolist())
        ]


@dataclass(frozen=True)
class Section:
    """What stands under one heading, in this order.

    Attributes:
        title: the heading.
        sentences: paragraphs.
        tables: as given; a mapping names each by a smaller heading.
        charts: side by side where there is room.
        file: name of a file beside the page with all rows; empty: none.
        terms: terms and descriptions.
        closed: shown when it is opened.
    """

    title: str
    sentences: Sequence[str] = ()
    tables: Sequence[Table] | Mapping[str, Table] = ()
    charts: Sequence[Chart] = ()
    file: str = ""
    terms: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False

    def named_tables(self) -> list[tuple[str, Table]]:
        """Tables with their headings; empty where they have none."""
        if isinstance(self.tables, Mapping):
            return list(self.tables.items())
        return [("", table) for table in self.tables]


def table_section(title: str, cells: pd.DataFrame, notes: Sequence[str] = ()) -> Section:
    """A section of one table."""
    return Section(title, tables=[Table(cells, notes)])


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        title: of the page.
        card: of the dataset; None: the page is about several.
        sentences: what a reader must know first; the first one answers the question.
        sections: in order.
        terms: how it was made, as terms and descriptions.
        warnings: what forbids to rely on it.
        notes: sentences below ``terms``.
        top: it leads to the list of all pages.
    """

    title: str
    card: DatasetCard | None = None
    sentences: Sequence[str] = ()
    sections: Sequence[Section] = ()
    terms: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    notes: Sequence[str] = ()
    top: bool = True

    def html(self) -> str:
        """The whole file as text."""
        charts = any(section.charts for section in self.sections)
        return _template().render(
            page=self,
            css=Markup((_FOLDER / "frame.css").read_text(encoding="utf-8")),  # noqa: S704 - files of this package
            js=Markup((_FOLDER / "frame.js").read_text(encoding="utf-8")),  # noqa: S704
            library=Markup(_library() if charts else ""),  # noqa: S704
        )

    def write(self, path: Path) -> None:
        """Write it; the folder is made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(), encoding="utf-8")


@cache
def _template() -> Any:
    loader = PackageLoader("omniretail", "report/pages")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("frame.html.jinja")


@cache
def _library() -> str:
    """Vega, Vega-Lite and their embedding as one script, of the version for which altair writes."""
    bundle: Any = vl_convert.javascript_bundle  # its stub demands a snippet
    return bundle(vl_version=SCHEMA_VERSION.removeprefix("v").rpartition(".")[0])


def _ends(values: Sequence[float]) -> list[tuple[float, float]]:
    """Left end and width of each bar, in per cent of the cell."""
    both_sides = min([0.0, *values]) < 0
    clipped = [max(-1.0, min(1.0, value)) if value == value else 0.0 for value in values]
    if not both_sides:
        return [(0.0, round(100 * value, 1)) for value in clipped]
    return [(round(50 + 50 * min(value, 0.0), 1), round(50 * abs(value), 1)) for value in clipped]
