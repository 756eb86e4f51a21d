"""Credentials in addresses: used to connect, never shown or saved.

A command hides them before anything else reads its settings: ``http://anna:secret@host`` becomes ``http://***@host`` in
its arguments and in ``MLFLOW_TRACKING_URI``; ``reveal`` gives the whole address back to whatever connects.
"""

import json
import os
import re
from collections.abc import Iterable

_URI = re.compile(
    r"""(?P<scheme>[A-Za-z][\w+.-]*://)
    (?P<user>[^\s/'"<>]*@|[^\s/:'"<>]*:(?!\d+/)[^\s'"<>]*@)?  # a password may hold slashes, a port may not
    (?P<place>[^\s'"<>?#]*)
    (?P<query>[?#][^\s'"<>]*)?""",
    re.VERBOSE,
)
_SECRET = re.compile(r"[^=]*(token|pass|pwd|secret|key|auth|sig|cred|user|odbc_connect)[^=]*=|[^=]+$", re.IGNORECASE)
"""A part of a query that holds a credential: by its name, or because it has none."""
_STORES = ("tracking.uri", "uri", "to", "source")
"""Settings that are the address of a tracking store, which is opened through ``reveal``."""
_HIDDEN, _VALUE = "OMNIRETAIL_HIDDEN_ADDRESSES", "OMNIRETAIL_HIDDEN_VALUE_"  # inherited by processes of a sweep


def hide(text: str) -> str:
    """A text without the credentials of the addresses in it.

    >>> hide("http://anna:secret@example.org:5000/x is down, postgresql://db/runs?user=u&password=p too")
    'http://***@example.org:5000/x is down, postgresql://db/runs?*** too'
    >>> hide("https://example.org/data?year=2024 · sqlite:///mlflow.db · models:/name@champion")
    'https://example.org/data?year=2024 · sqlite:///mlflow.db · models:/name@champion'
    """
    for shown, whole in _known().items():
        text = text.replace(whole, shown)
    return _URI.sub(_without_credentials, text)


def remember(uri: str) -> str:
    """The address without its credentials, which ``reveal`` finds again in this process and in those it starts."""
    known = _known()
    first = shown = _URI.sub(_without_credentials, uri)
    if first == uri or uri in known:
        return uri
    number = 1
    while known.get(shown, uri) != uri:  # the same place with other credentials
        number += 1
        shown = first.replace("***", f"*{number}*", 1)
    os.environ[_HIDDEN] = json.dumps(known | {shown: uri})
    return shown


def reveal(uri: str) -> str:
    """The whole address of which ``remember`` took the credentials."""
    return _known().get(uri, uri)


def hide_in_command(words: Iterable[str]) -> list[str]:
    """The words of a command line without credentials; those of ``MLFLOW_TRACKING_URI`` are hidden as well.

    Hydra copies every word into its folders. Addresses of tracking stores become what ``remember`` makes of them, other
    settings refer to a variable of the environment.
    """
    if address := os.environ.get("MLFLOW_TRACKING_URI"):
        os.environ["MLFLOW_TRACKING_URI"] = remember(address)
    return [_hidden(word, number) for number, word in enumerate(words)]


def _hidden(word: str, number: int) -> str:
    name, mark, value = word.partition("=")
    value = value.strip("'\"")  # what is hidden needs no quotes
    if not mark or _URI.sub(_without_credentials, value) == value:
        return remember(word)
    if name.lstrip("+-") in _STORES:
        return f"{name}={remember(value)}"
    os.environ[f"{_VALUE}{number}"] = value
    return f"{name}=${{oc.env:{_VALUE}{number}}}"


def _without_credentials(match: re.Match[str]) -> str:
    query = match["query"] or ""
    secret = any(_SECRET.match(part) for part in query[1:].split("&"))
    return "".join(
        [match["scheme"], "***@" * bool(match["user"]), match["place"], f"{query[0]}***" if secret else query]
    )


def _known() -> dict[str, str]:
    return json.loads(os.environ.get(_HIDDEN, "{}"))
