"""A page of sentences, tables and plots, for tasks that need no template of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from omniretail.report.pages.templates import write_page
from omniretail.report.plots.captions import Plot
from omniretail.schema import DatasetCard


@dataclass(frozen=True)
class Section:
    """A table under a heading.

    Attributes:
        title: the heading.
        cells: texts, the names in the first column.
        notes: how to read it, in sentences.
    """

    title: str
    cells: pd.DataFrame
    notes: Sequence[str] = ()


def write_sections(
    path: Path,
    title: str,
    card: DatasetCard,
    sentences: Sequence[str],
    sections: Sequence[Section],
    terms: Mapping[str, str],
    plots: Sequence[Plot] = (),
) -> None:
    """Write the page.

    Args:
        path: the file to write; its folder is made.
        title: of the page.
        card: of the dataset.
        sentences: what a reader must know first.
        sections: tables, in order.
        terms: how it was made, as terms and descriptions.
        plots: under the tables.
    """
    page = {"title": title, "sentences": sentences, "sections": sections, "terms": terms, "plots": plots}
    write_page(path, "sections", data=card, **page)
