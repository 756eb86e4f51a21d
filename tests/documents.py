"""The commands that README and docs show, as words."""

import re
import shlex
from pathlib import Path

from tests.conftest import ROOT

DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PLACEHOLDERS = {"<run_id>": "abc", "<id>": "abc", "<address>": "http://127.0.0.1:5000", "experiments/NNN_slug": "."}
WORKED_EXAMPLE = re.compile("last_basket_again")  # a model that a reader of CONTRIBUTING.md is to write
_COMMAND = re.compile(r"(?:python|make|mlflow|pip) \S")


def shown(document: Path) -> list[str]:
    """Every command in fenced blocks, indented blocks and backticks, once; what ends in … is no whole command."""
    text = re.sub(r"\\\n\s*", "", document.read_text())
    fenced = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    lines += [line[4:] for line in text.splitlines() if line.startswith("    ") and not line.startswith("     ")]
    lines += re.findall(r"`(python [^`]+)`", text)
    whole = (line for line in lines if _COMMAND.match(line) and "…" not in line)
    words = (shlex.split(line, comments=True) for line in whole)
    return list(dict.fromkeys(shlex.join(each) for each in words if not WORKED_EXAMPLE.search(shlex.join(each))))


def words_of(command: str) -> list[str]:
    """The words, with something in every placeholder."""
    for placeholder, value in PLACEHOLDERS.items():
        command = command.replace(shlex.quote(placeholder), value).replace(placeholder, value)
    return shlex.split(command)
