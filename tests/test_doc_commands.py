"""Every command of README and docs: it parses, composes and makes its model; in the slow tier it runs, shortened."""

import importlib
import re
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from pathlib import Path

import hydra
import pytest
from benchmarks.__main__ import WHAT
from hydra.core.override_parser.overrides_parser import OverridesParser

from omniretail.commands.text_settings import quoted
from omniretail.config import CONFIGS, make, opened
from omniretail.run import checked
from omniretail.sources.download.dataset import read_datasets
from omniretail.sweep_jobs import covering
from tests.commands import command
from tests.conftest import ROOT
from tests.documents import DOCUMENTS, shown, words_of

COMMANDS = list(dict.fromkeys(each for document in DOCUMENTS for each in shown(document)))
RUNS = ("train", "audit", "search")
REGISTRY = ("export", "push", "score", "server")


def script(words: list[str]) -> str:
    return Path(words[1]).stem if len(words) > 1 and words[1].startswith("scripts/") else ""


def composed(config: str, words: list[str], folder: Path = CONFIGS) -> list:
    """The settings of the jobs in which every swept value occurs."""
    with hydra.initialize_config_dir(str(folder), version_base="1.3"):
        jobs = covering(OverridesParser.create().parse_overrides(words))
        return [hydra.compose(config, overrides=job) for job in jobs]


class ParsedError(Exception):
    """The arguments are right; the work itself is not wanted here."""


def stop(parser: ArgumentParser, *words: list[str]) -> Namespace:
    _, unknown = parser.parse_known_intermixed_args(*words)
    assert not unknown
    raise ParsedError


@pytest.mark.parametrize("line", [each for each in COMMANDS if script(words_of(each)) in RUNS])
def test_runs_compose_and_their_models_are_made(line: str, tmp_path: Path) -> None:
    words = [word for word in words_of(line)[2:] if word != "-m"]
    if "--help" in words:
        return
    for cfg in composed(script(words_of(line)), opened(words)):
        cfg.report.html = f"{tmp_path}/page.html"
        checked(cfg)


@pytest.mark.parametrize("line", [each for each in COMMANDS if script(words_of(each)) in REGISTRY])
def test_commands_of_the_registry_compose(line: str) -> None:
    name, words = script(words_of(line)), words_of(line)[2:]
    text = ("run_id", "name", "version", "force", "against", "model", "to", "uri", "input", "output")
    for cfg in composed(name, quoted(words, text), CONFIGS / "registry"):
        if "gate" in cfg:
            make(cfg.gate)


@pytest.mark.parametrize("line", [each for each in COMMANDS if script(words_of(each)) in ("compare", "fetch")])
def test_arguments_parse(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, words = script(words_of(line)), words_of(line)[2:]
    if name == "fetch":
        assert set(words) <= {*read_datasets(CONFIGS / "fetch.yaml")}
        return
    monkeypatch.setattr(sys, "argv", ["compare.py", *words])
    assert importlib.import_module("omniretail.commands.compare")._arguments()


@pytest.mark.parametrize("line", [each for each in COMMANDS if " -m benchmarks" in each])
def test_benchmarks_parse(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    what, *words = words_of(line)[3:]
    if what == "--help":
        return
    assert what in WHAT
    monkeypatch.setattr(ArgumentParser, "parse_intermixed_args", stop)
    monkeypatch.setattr(ArgumentParser, "parse_args", stop)
    with pytest.raises(ParsedError):
        importlib.import_module(f"benchmarks.{what}").main(words)


def test_every_other_command_is_there() -> None:
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for words in map(words_of, COMMANDS):
        if words[0] == "make":
            assert words[1] in targets
        if words[0] == "pip" and (named := re.search(r"\[(.*)\]", words[-1])):
            assert set(named[1].split(",")) <= set(extras)
        if script(words):
            assert (ROOT / words[1]).exists()


SHORT = ["source=simulate", "source.n_customers=200", "source.n_weeks=20", "evaluate=[test]"]
SHORT += ["offers.val_from=2024-03-01", "offers.test_from=2024-04-01"]
OWN_FILES = ("source=csv", "two_logs", "amazon_cross_domain", "ifood", "tianchi_o2o")
NOT_RUN = (*OWN_FILES, "--help", "trainer=gpu", "trainer=ddp", "recbole")


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [each for each in COMMANDS if script(words_of(each)) == "train" and not any(own in each for own in NOT_RUN)],
)
def test_runs_work(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    words = [word for word in words_of(line)[2:] if not word.startswith(("source", "evaluate", "trainer.max_epochs"))]
    done = command("train", *words, *SHORT, *(["trainer.max_epochs=1"] if re.search("sasrec|two_tower", line) else []))
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.strip().splitlines()[-1].startswith("run_id=")
