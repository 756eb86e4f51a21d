"""Promotions, forced ones, rollbacks and their history in a real registry (SQLite)."""

import getpass
import socket
from datetime import UTC, datetime

import pytest
from mlflow import MlflowClient

from omniretail.registry import promotion
from omniretail.registry.gate import Gate, Guards
from omniretail.registry.history import Entry, champions, undone
from omniretail.registry.promotion import history, history_in_words, promote, rollback
from omniretail.serving.lookup import LOCK
from tests.registry.factories import add_version, champion

GATE = Gate(guards={"recommendation": Guards(activity_groups=2, min_share={"coverage_at_10": 0.9})})


def versions(uri: str, name: str, runs: dict[str, str], *names: str) -> None:
    for each in names:
        add_version(uri, name, runs[each])


def test_the_first_version_becomes_champion_then_the_better_one(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.3", "0.5", "0.4")
    first = promote(uri, name, 1, GATE)
    assert (first.promoted, first.before, [check.name for check in first.checks]) == (True, "", [])
    second = promote(uri, name, "2", GATE)
    assert (second.promoted, second.before, second.failed) == (True, "1", [])
    third = promote(uri, name, 3, GATE)
    assert (third.promoted, third.before) == (False, "2")
    assert str(third.failed[0]) == (
        "beats the champion in NDCG@10: 0.4000 against 0.5000, p <0.001 (required: higher with p < 0.05)"
    )
    assert champion(uri, name) == "2"
    assert [(e.number, e.action, e.version, e.before) for e in history(uri, name)] == [
        (1, "promoted", "1", ""),
        (2, "promoted", "2", "1"),
    ]


def test_the_history_records_who_when_and_the_checks(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.3", "0.5")
    promote(uri, name, 1, GATE)
    outcome = promote(uri, name, 2, GATE)
    entry = history(uri, name)[-1]
    assert entry.who == f"{getpass.getuser()}@{socket.gethostname()}"
    assert abs((datetime.now(UTC) - datetime.fromisoformat(entry.when)).total_seconds()) < 60
    assert entry.checks == outcome.checks
    assert len(entry.checks) == 9
    assert entry.reason == ""


def test_a_refusal_leaves_no_trace(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.5", "0.3")
    promote(uri, name, 1, GATE)
    client = MlflowClient(uri)
    before = client.get_registered_model(name).tags
    assert not promote(uri, name, 2, GATE).promoted
    assert client.get_registered_model(name).tags == before
    assert not client.get_model_version(name, "2").tags
    assert champion(uri, name) == "1"


def test_forced_is_recorded_with_its_reason_and_the_checks(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.5", "0.3")
    promote(uri, name, 1, GATE)
    outcome = promote(uri, name, 2, GATE, force="the champion recommends 酒 to children")
    assert (outcome.promoted, champion(uri, name)) == (True, "2")
    entry = history(uri, name)[-1]
    assert (entry.action, entry.reason) == ("forced", "the champion recommends 酒 to children")
    assert entry.checks == outcome.checks
    assert outcome.failed[0].name == "beats the champion in NDCG@10"


def test_a_version_that_passes_is_not_recorded_as_forced_but_the_reason_is(
    uri: str, name: str, runs: dict[str, str]
) -> None:
    versions(uri, name, runs, "0.3", "0.5")
    promote(uri, name, 1, GATE, force="hurry")
    promote(uri, name, 2, GATE, force="hurry")
    assert [(e.action, e.reason) for e in history(uri, name)] == [("promoted", "hurry")] * 2


def test_rollback_restores_the_one_before_and_then_the_one_before_that(
    uri: str, name: str, runs: dict[str, str]
) -> None:
    versions(uri, name, runs, "0.3", "0.4", "0.5")
    for version in (1, 2, 3):
        promote(uri, name, version, GATE)
    assert rollback(uri, name).version == "2"
    assert champion(uri, name) == "2"
    assert rollback(uri, name).version == "1"
    assert champion(uri, name) == "1"
    with pytest.raises(LookupError, match=f"no champion of {name} came before version 1"):
        rollback(uri, name)
    assert champion(uri, name) == "1"
    promote(uri, name, 3, GATE)
    assert rollback(uri, name).version == "1"
    actions = [(e.action, e.version, e.before) for e in history(uri, name)[3:]]
    assert actions == [
        ("rolled back", "2", "3"),
        ("rolled back", "1", "2"),
        ("promoted", "3", "1"),
        ("rolled back", "1", "3"),
    ]


def test_where_there_is_nothing_to_roll_back_to(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.3")
    with pytest.raises(LookupError, match=f"{name} has no champion, so there is nothing to roll back"):
        rollback(uri, name)
    promote(uri, name, 1, GATE)
    with pytest.raises(LookupError, match="nothing to roll back to"):
        rollback(uri, name)


def test_a_version_deleted_meanwhile_is_not_restored(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.3", "0.4", "0.5")
    for version in (1, 2, 3):
        promote(uri, name, version, GATE)
    MlflowClient(uri).delete_model_version(name, "2")
    with pytest.raises(LookupError, match=f"{name} has no version 2; it has 1, 3"):
        rollback(uri, name)
    assert champion(uri, name) == "3"
    assert [len(entry.checks) for entry in history(uri, name)] == [0, 0, 9]


def test_a_move_that_was_cut_off_is_shown_and_does_not_mislead_a_rollback(
    uri: str, name: str, runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    versions(uri, name, runs, "0.3", "0.4", "0.5")
    promote(uri, name, 1, GATE)
    promote(uri, name, 2, GATE)
    with monkeypatch.context() as patched:
        patched.setattr(MlflowClient, "set_registered_model_alias", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            promote(uri, name, 3, GATE)
    assert champion(uri, name) == "2"
    assert history_in_words(uri, name)[2].endswith("did not take effect, or was undone by hand")
    assert rollback(uri, name).version == "1"
    assert promote(uri, name, 3, GATE).promoted
    assert [line.endswith("undone by hand") for line in history_in_words(uri, name)] == [
        *(False, False, True, False, False, False)
    ]


def test_the_stack_of_champions() -> None:
    def stack(*moves: tuple[str, str, str], now: str) -> list[str]:
        return champions([Entry(n, *move, "anna", "") for n, move in enumerate(moves, start=1)], now)

    first, second, back = ("promoted", "1", ""), ("promoted", "2", "1"), ("rolled back", "1", "2")
    assert stack(first, second, back, ("forced", "2", "1"), now="2") == ["1", "2"]
    assert stack(first, second, ("forced", "1", "2"), now="1") == ["1", "2", "1"]
    assert stack(first, second, ("forced", "1", "2"), ("rolled back", "2", "1"), now="2") == ["1", "2"]
    assert stack(first, second, now="7") == ["1", "2", "7"], "moved by hand"
    assert stack(first, second, ("forced", "3", ""), now="3") == ["1", "2", "3"], "the alias was deleted by hand"
    assert undone([Entry(1, "promoted", "1", "", "anna", "")], champion="2") == [1]


def test_a_version_whose_latency_cannot_be_measured_is_refused(
    uri: str, name: str, runs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    add_version(uri, name, runs["0.3"])
    outcome = promote(uri, name, 1, Gate(max_latency_ms=100))
    assert not outcome.promoted
    assert str(outcome.failed[0]) == (
        f"p99 latency: {name}/1 was not registered by scripts/export.py, so it cannot be verified "
        "(required: at most 100 ms)"
    )
    assert champion(uri, name) == ""
    assert history(uri, name) == []


@pytest.mark.parametrize("kind", ["offers", "profile"])
def test_all_kinds_of_models_pass_through(uri: str, name: str, runs: dict[str, str], kind: str) -> None:
    versions(uri, name, runs, f"{kind} bad", f"{kind} good", f"{kind} bad")
    assert promote(uri, name, 1, GATE).promoted
    assert promote(uri, name, 2, GATE).promoted
    assert not promote(uri, name, 3, GATE).promoted


def test_a_champion_whose_results_are_lost_cannot_be_beaten_but_forced_out(
    uri: str, name: str, runs: dict[str, str]
) -> None:
    run_without = add_version(uri, name, "0" * 32)
    MlflowClient(uri).set_registered_model_alias(name, "champion", run_without)
    versions(uri, name, runs, "0.5")
    outcome = promote(uri, name, 2, GATE)
    assert not outcome.promoted
    assert outcome.failed[0].name == "the champion's results"
    assert promote(uri, name, 2, GATE, force="nobody knows the old one").promoted


def test_on_new_data_a_run_of_the_champions_settings_stands_in(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.3", "0.5 on new data")
    promote(uri, name, 1, GATE)
    assert [check.name for check in promote(uri, name, 2, GATE).failed] == ["same data"]
    other = runs["0.3 on new data, other settings"]
    assert [str(check) for check in promote(uri, name, 2, GATE, against=other).failed] == [
        f"replaces the champion's run: run {other} of EASE l2=2 (required: a run of EASE l2=1)"
    ]
    assert [c.name for c in promote(uri, name, 2, GATE, against=runs["0.3"]).failed] == ["same data"]
    with pytest.raises(LookupError, match="run nonsense has no results for stage=test"):
        promote(uri, name, 2, GATE, against="nonsense")
    right = promote(uri, name, 2, GATE, against=runs["0.3 on new data"])
    assert (right.promoted, right.failed, right.checks[0].name) == (True, [], "replaces the champion's run")
    assert runs["0.3 on new data"] in history(uri, name)[-1].checks[0].measured


def test_what_cannot_be_promoted_is_named(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.5")
    promote(uri, name, 1, GATE)
    with pytest.raises(LookupError, match=f"as grocery-recomender.* in sqlite.*; did you mean .*{name}") as raised:
        promote(uri, name.replace("mm", "m"), 1, GATE)
    assert LOCK not in str(raised.value)
    with pytest.raises(LookupError, match="no model is registered as x in"):
        history(uri, "x")
    with pytest.raises(LookupError, match=f"{name} has no version 7; it has 1"):
        promote(uri, name, 7, GATE)
    with pytest.raises(ValueError, match="version takes a whole number, not latest"):
        promote(uri, name, "latest", GATE)
    with pytest.raises(ValueError, match=f"version 1 of {name} is the champion already"):
        promote(uri, name, 1, GATE)
    with pytest.raises(ValueError, match="the reason has 1,001 characters; at most 1,000 are recorded"):
        promote(uri, name, 1, GATE, force="x" * 1001)


def test_a_version_without_results_cannot_be_promoted_even_by_force(uri: str, name: str, runs: dict[str, str]) -> None:
    add_version(uri, name, None)
    with pytest.raises(ValueError, match=f"version 1 of {name} was made from no run"):
        promote(uri, name, 1, GATE, force="please")
    add_version(uri, name, "0" * 32)
    with pytest.raises(
        LookupError, match=f"version 2 of {name} cannot be compared: run 0+ has no results for stage=test"
    ):
        promote(uri, name, 2, GATE, force="please")
    versions(uri, name, runs, "val only")
    with pytest.raises(LookupError, match="has no results for stage=test"):
        promote(uri, name, 3, GATE)


def test_the_history_in_words(uri: str, name: str, runs: dict[str, str]) -> None:
    versions(uri, name, runs, "0.5", "0.3")
    assert history_in_words(uri, name) == ["there is no champion"]
    promote(uri, name, 1, GATE)
    promote(uri, name, 2, GATE, force="the fire alarm rang")
    rollback(uri, name)
    lines = history_in_words(uri, name)
    assert "UTC · version 1 promoted · the first champion · by " in lines[0]
    assert "checks" not in lines[0]
    assert "version 2 forced · after version 1 · by" in lines[1]
    assert "reason: the fire alarm rang · 6 of 9 checks passed · failed: beats the champion in NDCG@10: " in lines[1]
    assert "version 1 rolled back to · after version 2" in lines[2]
    assert lines[3] == "version 1 is the champion"


def test_a_user_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert promotion._who().startswith("user ")
