"""Whole runs against the metrics in ``tests/golden``."""

import json
from pathlib import Path

import pytest

from omniretail.config import compose
from omniretail.result import Result
from omniretail.run import run
from tests.conftest import ROOT

SIMULATED = ("source=simulate", "source.n_customers=300", "source.n_weeks=16")
"""A small retailer, whose true effects and choices are known."""


def tracked_in(folder: Path) -> tuple[str, str]:
    """Settings of a run that leaves everything in one folder."""
    return f"tracking.uri=sqlite:///{folder}/mlflow.db", f"cache_dir={folder}/cache"


def runs_match_golden(task: str, folder: Path, *overrides: str) -> list[list[Result]]:
    """Run each model of ``tests/golden/<task>.json`` and compare every value in it; results of each are returned.

    Args:
        task: name of the file.
        folder: for the cache and the tracking store ``mlflow.db``.
        overrides: settings of the runs, beside the model.
    """
    golden = json.loads((ROOT / "tests" / "golden" / f"{task}.json").read_text())
    results = {model: run(compose(f"model={model}", *tracked_in(folder), *overrides)) for model in golden}
    for model, stages in results.items():
        for result in stages:
            expected, values = golden[model][result.stage], {**result.values(), **result.counts}
            measured = {name: values[name] for name in expected}
            assert measured == pytest.approx(expected, rel=2e-3), f"{model} {result.stage}"
    return list(results.values())
