"""Templates of the pages, filled in."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def rendered(template: str, **page: Any) -> str:
    """The text of ``<template>.html.jinja``; a name that it asks for and does not get is an error.

    Each page includes ``data.html.jinja``, which says what any reader of a result must know of the data behind it: it
    wants ``data``, the ``Card`` of the source.
    """
    environment = Environment(
        loader=PackageLoader("omniretail", "report/pages"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(f"{template}.html.jinja").render(**page)
