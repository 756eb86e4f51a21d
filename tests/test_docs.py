"""What the documents show is what there is: tables, examples, notebooks."""

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import omniretail
from omniretail.config import compose, opened
from omniretail.core import engine
from omniretail.metrics.ranked_lists import RankedLists
from omniretail.report.experiment import blocks, with_tables
from omniretail.report.tables.csv_files import read_csv
from omniretail.schema import check
from omniretail.splits.temporal import Temporal
from omniretail.views.fold import fold
from omniretail.views.histories import Histories
from tests.conftest import ROOT, shop_events, tables_of

EXPERIMENTS = sorted(path.parent for path in (ROOT / "experiments").glob("*/results.csv"))
TABLES = [(ROOT / "README.md", ROOT / "experiments" / "001_complete_journey_baselines")]
TABLES += [(folder / "README.md", folder) for folder in EXPERIMENTS]


@pytest.mark.parametrize(("readme", "experiment"), TABLES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_tables_are_those_of_the_results(readme: Path, experiment: Path) -> None:
    text, tables = readme.read_text(), read_csv(experiment / "results.csv")
    assert set(blocks(text)) <= set(tables)
    assert with_tables(text, tables) == text, (
        f"make it anew with: python scripts/compare.py --refresh {experiment.relative_to(ROOT)} --readme {readme.name}"
    )


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.name)
def test_an_experiment_says_what_it_expected_and_what_it_found(experiment: Path) -> None:
    text = (experiment / "README.md").read_text()
    for heading in ("## Hypothesis", "## Command", "## Result", "## Verdict"):
        assert heading in text
    assert (experiment / "config.yaml").exists()


def commands(readme: Path) -> list[list[str]]:
    """The arguments of each ``python scripts/train.py`` of a README that says everything itself."""
    lines = re.sub(r"\\\n\s*", "", readme.read_text()).splitlines()
    called = (line.strip().partition("python scripts/train.py ") for line in lines if line.startswith("    "))
    whole = [rest for before, _, rest in called if rest and not before and not re.search(r"[<…$]|--config-dir", rest)]
    return [[word for word in shlex.split(rest, comments=True) if word != "-m"] for rest in whole]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda path: path.name)
def test_commands_of_experiments_compose(experiment: Path) -> None:
    parser = OverridesParser.create()
    for words in commands(experiment / "README.md"):
        overrides = parser.parse_overrides(opened(words))
        first = [
            f"{each.get_key_element()}={next(iter(each.sweep_string_iterator()))}"
            if each.is_sweep_override()
            else each.input_line
            for each in overrides
        ]
        assert compose(*map(str, first)).task, words


def example(file: str) -> dict:
    """The names that a worked example of CONTRIBUTING.md defines."""
    blocks = re.findall(r"```python\n(# .*?)```", (ROOT / "CONTRIBUTING.md").read_text(), flags=re.DOTALL)
    names: dict = {"np": np, "RankedLists": RankedLists}
    exec(next(block for block in blocks if block.startswith(f"# src/omniretail/{file}")), names)
    return names


def test_the_worked_model_works() -> None:
    tables = tables_of(shop_events())
    train = fold(tables, Temporal(20).cutoff(tables.events, "test")).train
    model = example("models/recommenders/last_basket_again.py")["LastBasketAgain"]().fit(train)
    scores = model.score(Histories.of([[[0, 1], [5, 3]], [[2]]], n_items=len(train.items)))
    assert set(np.argsort(-scores[0])[:2]) == {3, 5}
    assert scores[1].argmax() == 2


def test_the_worked_source_works(tmp_path: Path) -> None:
    path = tmp_path / "receipts.csv"
    path.write_text("card;article;time;receipt;quantity\n1;a;2024-01-02 10:00:00;7;2\n1;b;2024-01-02 10:00:00;7;-1\n")
    tables = example("sources/receipts.py")["Receipts"](path).read(engine.connect())
    check(tables)
    assert tables.drops == {"returned": 1}
    assert tables.events.to_pandas().item_id.tolist() == ["a"]


def test_the_worked_metric_works() -> None:
    lists = RankedLists.of([[0, 2], [1, 2], [0, 1]], held_out=[{2}, {0}, set()], item_users=[1, 1, 1])
    np.testing.assert_array_equal(example("metrics/ranking.py")["first_hit_at_k"](lists, 2), [2, 3, np.nan])


NOTEBOOKS = [
    pytest.param(path, marks=() if path.stem.startswith("00") else pytest.mark.slow, id=path.stem)
    for path in sorted((ROOT / "notebooks").glob("*.py"))
]


def test_notebooks_use_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every notebook imports, and what it takes from ``om``; the slow tier runs them all."""
    monkeypatch.chdir(ROOT / "notebooks")
    for notebook in sorted(Path().glob("*.py")):
        tree = ast.parse(notebook.read_text())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
        exec(compile(ast.Module(imports, []), str(notebook), "exec"), {})
        taken = (node for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        for name in {node.attr for node in taken if isinstance(node.value, ast.Name) and node.value.id == "om"}:
            assert hasattr(omniretail, name), f"{notebook}: om.{name}"


@pytest.mark.parametrize("notebook", NOTEBOOKS)
def test_notebooks_run(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "configs").symlink_to(ROOT / "configs")  # where a notebook looks for, and leaves the files of its runs
    (tmp_path / "notebooks").mkdir()
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/mlflow.db",
        "OMNIRETAIL_CACHE": str(tmp_path / "cache"),
    }
    done = subprocess.run(
        [sys.executable, str(notebook)],
        cwd=tmp_path / "notebooks",
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr[-3000:]
