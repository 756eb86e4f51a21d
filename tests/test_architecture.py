"""The chain of imports is one: what import-linter holds is what CONTRIBUTING.md shows. Sizes are those of the house."""

import ast
import re
import statistics
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = sorted((ROOT / "src").rglob("*.py"))


def test_contributing_shows_the_chain_that_the_linter_holds() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(each["layers"] for each in contracts if each["type"] == "layers")
    chain = " -> ".join(layers).replace("omniretail.", "")
    assert f"    {chain}\n" in (ROOT / "CONTRIBUTING.md").read_text(), f"write this into CONTRIBUTING.md: {chain}"


def test_every_package_is_in_the_chain() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = " | ".join(next(each["layers"] for each in contracts if each["type"] == "layers"))
    inside = ROOT / "src" / "omniretail"
    names = {path.stem for path in inside.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert names - {"__init__", "__main__"} == set(re.findall(r"omniretail\.(\w+)", layers))


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= 300, "over 300 lines: it is two things"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            assert int(node.end_lineno or 0) - body[0].lineno < 50, f"{node.name} has over 50 lines of code"


def test_files_are_small_on_the_whole() -> None:
    assert statistics.median(path.read_text().count("\n") for path in SOURCES) < 100


@pytest.mark.parametrize("script", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.name)
def test_scripts_are_shells(script: Path) -> None:
    assert script.read_text().count("\n") <= 60
