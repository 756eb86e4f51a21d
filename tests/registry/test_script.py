"""The command line of registry and gate: what it takes, what it prints, how it ends."""

import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from mlflow import MlflowClient

from omniretail.commands import export as command
from omniretail.commands.text_settings import quoted
from omniretail.core.errors import MissingError
from omniretail.registry import actions
from tests.registry.factories import add_version, champion

Run = Callable[..., str]


@pytest.fixture
def run(uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Calls the command; its output is returned, with its last words where it fails."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)

    def call(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["export.py", *words])
        try:
            command.main()
        except SystemExit as end:
            return f"{capsys.readouterr().out}exit: {end.code}"
        return capsys.readouterr().out

    return call


PROMOTE = "action=promote"


def test_from_promotion_to_rollback(run: Run, uri: str, name: str, runs: dict[str, str]) -> None:
    for result in ("0.4", "0.3", "0.5"):
        add_version(uri, name, runs[result])
    output = run(PROMOTE, f"name={name}", "version=1")
    assert output.splitlines() == [
        f"{name} has no champion yet, so there is no version to beat",
        f"version 1 is the champion of {name}",
    ]
    no_groups = "gate.guards.recommendation.activity_groups=0"
    output = run(PROMOTE, f"name={name}", "version=2", no_groups)
    required = "(required: higher with p < 0.05)"
    assert f"FAILED  beats the champion in NDCG@10: 0.3000 against 0.4000, p <0.001 {required}" in output
    assert output.endswith(f"exit: version 2 of {name} does not become champion, version 1 remains")
    (way,) = [line for line in output.splitlines() if line.startswith("way out of Coverage@10: ")] or [""]
    assert not way, "what is passed needs none"
    assert "way out of beats the champion in NDCG@10: choose another candidate on validation" in output
    forced = f"scripts/export.py action=promote name={name} version=2 'force=it is needed now'"
    assert next(line for line in output.splitlines() if line.startswith("way out of all")).endswith(forced)
    output = run(PROMOTE, f"name={name}", "version=2", "force=version 1 offends", no_groups)
    assert output.endswith(f"version 2 is the champion of {name}, forced\n")
    assert run("action=rollback", f"name={name}") == f"version 1 is the champion of {name} again, after version 2\n"
    output = run(PROMOTE, f"name={name}", "version=3", "~gate.guards.recommendation", "gate.alpha=.001")
    assert "(required: higher with p < 0.001)" in output
    assert "Coverage" not in output
    assert champion(uri, name) == "3"
    lines = run("action=history", f"name={name}").splitlines()
    assert "reason: version 1 offends" in lines[1]
    assert (len(lines), lines[-1]) == (5, "version 3 is the champion")


def test_a_name_whose_first_version_fails_has_no_champion(run: Run, uri: str, name: str, runs: dict[str, str]) -> None:
    add_version(uri, name, runs["0.4"])
    output = run(PROMOTE, f"name={name}", "version=1", "gate.max_latency_ms=1")
    assert output.endswith(f"exit: version 1 of {name} does not become champion, there is still none")


def test_registering_is_the_default_action(run: Run, uri: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("omniretail.registry.register")
    module.register = lambda *arguments: "/".join(arguments)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "omniretail.registry.register", module)
    assert run("run_id=abc", f"name={name}") == f"version={uri}/abc/{name}\n"
    assert run("run_id=123e45", f"name={name}") == f"version={uri}/123e45/{name}\n"
    assert run("run_id=abc", f"name={name}", "uri=sqlite:///x.db") == f"version=sqlite:///x.db/abc/{name}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([PROMOTE], "action=promote lacks name= and version=; it takes name, version, uri, against, force, gate"),
        ([PROMOTE, "name=x", "version="], "action=promote lacks version=; it takes name, version, uri, against"),
        ([PROMOTE, "nmae=x", "version=1"], "there is no setting nmae; did you mean name? There are action, against"),
        (["action=rollback", "name=x", "version=1"], "action=rollback does not take version; it takes name, uri"),
        (["action=rollback", "name=x", "gate.alpha=1"], "action=rollback does not take gate.alpha; it takes name, uri"),
        (["run_id=x"], "action=register lacks name=; it takes run_id, name, uri"),
        (["action=demote", "name=x"], "action=demote is none of register, promote, rollback, history, onnx, embedd"),
        ([PROMOTE, "name=x", "version=1", "force="], "force= needs a reason, which is recorded: 'force="),
        ([PROMOTE, "name=x", "version=1", "force= "], "force= needs a reason"),
        (["action=rollback", "name=x", "force=why not"], "action=rollback does not take force; it takes name, uri"),
        (
            ["promote", "name=x", "version=3", "--force", "it's urgent"],
            "settings are written name=value: python scripts/export.py action=promote name=x version=3 "
            "'force=it'\"'\"'s urgent'",
        ),
        (["rollback", "name=x"], "settings are written name=value: python scripts/export.py action=rollback name=x"),
        (
            ["promote", "--force=a=b, and so", "name=x", "version=3"],
            "settings are written name=value: python scripts/export.py action=promote 'force=a=b, and so' name=x",
        ),
    ],
)
def test_mistaken_words(run: Run, words: list[str], message: str) -> None:
    assert run(*words).startswith(f"exit: error: {message}")


def test_what_goes_wrong_later_is_one_sentence_too(run: Run, uri: str, name: str, runs: dict[str, str]) -> None:
    add_version(uri, name, runs["0.4"])
    words = (PROMOTE, f"name={name}", "version=1")
    assert run("action=history", "name=grocery").startswith("exit: error: no model is registered as grocery in sqlite:")
    assert run(*words[:2], "version=4") == f"exit: error: {name} has no version 4; it has 1"
    assert run("action=rollback", f"name={name}").startswith(f"exit: error: {name} has no champion")
    assert run(*words, "gate.alpha=2") == "exit: error: gate.alpha=2 must lie between 0 and 1"
    assert run(*words, "gate.aplha=.1").startswith("exit: error: there is no setting gate.aplha; did you mean gate.alp")
    assert run(*words, "gate=strict") == "exit: error: there is no gate=strict; there are default"


@pytest.mark.parametrize(
    "reason", ["the champion's lists offend, badly", 'it says "酒" to children', "a=b: [c] {d} (e)", "back\\slash", "5"]
)
def test_a_reason_may_hold_any_character(run: Run, uri: str, name: str, runs: dict[str, str], reason: str) -> None:
    add_version(uri, name, runs["0.4"])
    run(PROMOTE, f"name={name}", "version=1", f"force={reason}")
    tags = MlflowClient(uri).get_registered_model(name).tags
    assert reason in run("action=history", f"name={name}"), tags


def test_text_is_left_to_hydra_where_it_sweeps() -> None:
    assert quoted(["-m", "name=a,b"], ["name"]) == ["-m", "name=a,b"]
    assert quoted(["name='a'", "version=3", "to=null"], ["name", "to"]) == ["name='a'", "version=3", "to=null"]


def test_help_shows_actions_and_settings(run: Run) -> None:
    output = run("--help")
    for action in actions.REQUIRED:
        assert action == "register" or f"action={action}" in output
    assert "max_latency_ratio: 2" in output
    assert "action: promote" in run(PROMOTE, "--cfg", "job")


def test_a_sweep_goes_on_where_a_job_fails_and_ends_with_a_list(
    run: Run, uri: str, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def register(_: str, run_id: str, name: str) -> str:
        if run_id == "b":
            raise MissingError(f"there is no run {run_id}")
        return run_id

    module = ModuleType("omniretail.registry.register")
    module.register = register  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "omniretail.registry.register", module)
    output = run("-m", "run_id=a,b,c", f"name={name}")
    assert [line for line in output.splitlines() if line.startswith("version=")] == ["version=a", "version=c"]
    assert output.endswith(f"exit: error: 1 of the jobs failed:\nrun_id=b name={name}: error: there is no run b")
    assert "exit" not in run("-m", "run_id=a,c", f"name={name}")
