"""Templates of the pages, filled in."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from omniretail.report.plots.style import svg


def rendered(template: str, **page: Any) -> str:
    """The text of ``<template>.html.jinja``; a missing name is an error.

    Each page includes ``data.html.jinja``, which describes the dataset from ``data``, its ``DatasetCard``. The filter
    ``drawn`` makes an SVG element of a ``Plot``.
    """
    environment = Environment(
        loader=PackageLoader("omniretail", "report/pages"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["drawn"] = lambda plot: svg(plot.figure, plot.name, plot.title)
    return environment.get_template(f"{template}.html.jinja").render(**page)


def write_page(path: Path, template: str, **page: Any) -> None:
    """Write the text of a template; see ``rendered``.

    Args:
        path: the file to write; its folder is made.
        template: its name.
        page: what it shows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(rendered(template, **page), encoding="utf-8")
