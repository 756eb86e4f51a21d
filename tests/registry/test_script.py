"""The command line of registry and gate: what it takes, what it says, how it ends."""

import importlib.util
import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from omniretail import registry as export
from tests.conftest import ROOT
from tests.registry.factories import add_version, champion

spec = importlib.util.spec_from_file_location("export_script", ROOT / "scripts" / "export.py")
assert spec is not None
assert spec.loader is not None
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

Run = Callable[..., str]


@pytest.fixture
def run(uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls the script; what it prints is returned, and its last words where it fails."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["export.py", *words])
        try:
            script.main()
        except SystemExit as end:
            return f"{capsys.readouterr().out}exit: {end.code}"
        return capsys.readouterr().out

    return call


def test_from_promotion_to_rollback(run: Run, uri: str, name: str, runs: dict[str, str]) -> None:
    for what in ("0.4", "0.3", "0.5"):
        add_version(uri, name, runs[what])
    said = run("promote", f"name={name}", "version=1")
    assert said.splitlines() == [
        "passed  p99 latency: 5.0 ms (asked: at most 100 ms)",
        f"{name} has no champion yet, so there was nobody to beat",
        f"version 1 is the champion of {name}",
    ]
    said = run("promote", f"name={name}", "version=2", "gate.groups=0")
    assert (
        "FAILED  beats the champion in NDCG@10: 0.3000 against 0.4000, p <0.001 (asked: higher with p < 0.05)" in said
    )
    assert said.endswith(f"exit: version 2 of {name} does not become champion, version 1 stays")
    said = run("promote", f"name={name}", "version=2", "--force", "version 1 offends", "gate.groups=0")
    assert said.endswith(f"version 2 is the champion of {name}, forced\n")
    assert run("rollback", f"name={name}") == f"version 1 is the champion of {name} again, after version 2\n"
    said = run("promote", f"name={name}", "version=3", "gate.coverage=null", "gate.groups=0", "gate.alpha=.001")
    assert "(asked: higher with p < 0.001)" in said
    assert "Coverage" not in said
    assert champion(uri, name) == "3"
    lines = run("history", f"name={name}").splitlines()
    assert "because: version 1 offends" in lines[1]
    assert (len(lines), lines[-1]) == (5, "version 3 is the champion")


def test_a_name_whose_first_version_fails_has_no_champion(run: Run, uri: str, name: str, runs: dict[str, str]) -> None:
    add_version(uri, name, runs["0.4"])
    said = run("promote", f"name={name}", "version=1", "gate.max_latency_ms=1")
    assert said.endswith(f"exit: version 1 of {name} does not become champion, there is still none")


def test_registering_is_left_to_who_does_it(run: Run, uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("omniretail.registry.register")
    module.register = lambda *given: "/".join(given)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "omniretail.registry.register", module)
    monkeypatch.setattr(export, "register", module, raising=False)
    assert run("run_id=abc", f"name={name}") == f"version={uri}/abc/{name}\n"
    assert run("run_id=abc", f"name={name}", "uri=sqlite:///x.db") == f"version=sqlite:///x.db/abc/{name}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["promote"], "promote lacks name= and version=; it takes name, version, uri, against, --force"),
        (["promote", "name=x", "version="], "promote lacks version=; it takes name, version, uri, against, --force"),
        (
            ["promote", "nmae=x", "version=1"],
            "promote does not take nmae; it takes name, version, uri, against, --force",
        ),
        (["rollback", "name=x", "version=1"], "rollback does not take version; it takes name, uri"),
        (["rollback", "name=x", "gate.alpha=1"], "rollback does not take gate.alpha; it takes name, uri"),
        (["run_id=x"], "register lacks name=; it takes run_id, name, uri"),
        (["demote", "name=x"], "demote is no command; there are promote, rollback, history, onnx, embeddings"),
        (["promote", "name=x", "version=1", "--force"], "--force needs a reason, which is recorded: --force"),
        (["promote", "name=x", "--force", "version=1"], "--force needs a reason"),
        (["promote", "name=x", "version=1", "--force", " "], "--force needs a reason"),
        (["rollback", "name=x", "--force", "why not"], "rollback does not take --force; it takes name, uri"),
    ],
)
def test_mistaken_words(run: Run, words: list[str], said: str) -> None:
    assert run(*words).startswith(f"exit: error: {said}")


def test_what_goes_wrong_later_is_one_sentence_too(run: Run, uri: str, name: str, runs: dict[str, str]) -> None:
    add_version(uri, name, runs["0.4"])
    asked = ("promote", f"name={name}", "version=1")
    assert run("history", "name=grocery").startswith("exit: error: no model is registered as grocery in sqlite:")
    assert run(*asked[:2], "version=4") == f"exit: error: {name} has no version 4; it has 1"
    assert run("rollback", f"name={name}").startswith(f"exit: error: {name} has no champion")
    assert run(*asked, "gate.alpha=2") == "exit: error: gate.alpha lies between 0 and 1, not at 2"
    assert run(*asked, "gate.aplha=.1").startswith("exit: error: Could not override 'gate.aplha'")
    assert run(*asked, "gate=strict") == "exit: error: there is no gate=strict; configs/gate holds default"


def test_force_may_be_written_with_an_equals_sign() -> None:
    command, words, overrides = script.arguments(
        ["promote", "name=x", "version=3", "--force=a=b, and so", "gate.alpha=.01"]
    )
    assert (command, words) == ("promote", {"name": "x", "version": "3", "--force": "a=b, and so"})
    assert overrides == ["gate.alpha=.01"]


def test_help_is_there_without_waiting(run: Run) -> None:
    assert run("--help") == run() == f"{script.__doc__}\n"
