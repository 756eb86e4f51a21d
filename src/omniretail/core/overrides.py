"""Settings as people paste them into a shell."""

import re
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z_][\w.-]*(/[\w.-]+)*", re.ASCII)
_WORDS = {"null", "true", "false", "nan", "inf"}


def override(name: str, value: Any) -> str:
    """One setting as a word of a command line, quoted for Hydra and for the shell.

    >>> print(override("source.delimiter", ";"))
    'source.delimiter=";"'
    >>> print(override("source.header", ["user_id", "item id"]))
    'source.header=[user_id,"item id"]'
    """
    return shlex.quote(f"{name}={_written(value)}")


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_written(key)}:{_written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ",".join(map(_written, value)) + "]"
    text = str(value)
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else _quoted(text)


def _quoted(text: str) -> str:
    from hydra.core.override_parser.types import Quote, QuotedString  # here: a service has no Hydra

    return QuotedString(text.replace("${", r"\${"), Quote.double).with_quotes()
