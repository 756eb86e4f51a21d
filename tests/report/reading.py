"""A page as its reader has it: whole, alone, with its charts."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

_VOID = {"meta", "link", "input", "br"}


class ReadPage(HTMLParser):
    """The elements, the text without scripts and styles, and the charts of a page; fails where it is no HTML.

    Attributes:
        text: all that is read, a space between elements.
        specs: of the charts, in order.
        names: of all elements.
        links: addresses outside of the page.
        titles: of all headings.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.titles: list[str] = []
        self._open: list[tuple[str, str]] = []
        self._words: list[str] = []
        self.specs: list[dict] = []
        self.html = path.read_text(encoding="utf-8")
        self.feed(self.html)
        self.close()
        assert not self._open, self._open
        assert path.stat().st_size < 4e6
        self.text = re.sub(r"\s+", " ", " ".join(self._words))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        self.names.append(tag)
        self.links += [each for name in ("href", "src") if (each := named.get(name)) and each != "data:,"]
        if tag not in _VOID:
            self._open.append((tag, named.get("class") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag, self.getpos()

    def handle_data(self, data: str) -> None:
        tag, kind = self._open[-1] if self._open else ("", "")
        if tag == "script" and kind == "spec":
            self.specs.append(json.loads(data))
        elif tag not in ("script", "style"):
            self._words.append(data)
            self.titles += [data] if tag in ("h1", "h2", "h3") else []

    def rows(self) -> list[dict]:
        """The figures behind all charts."""
        return [row for spec in self.specs for rows in spec["datasets"].values() for row in rows]
