"""Who made which version the champion, when, and why; recorded in the registry's tags."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from omniretail.registry.gate_checks import Check, failed

PROMOTED, FORCED, ROLLED_BACK = "promoted", "forced", "rolled back"
CHAMPION = "champion"
"""The alias of the version that serves."""
_TAG = "promotion."
_UNDONE = " · did not take effect, or was undone by hand"


@dataclass(frozen=True)
class Entry:
    """One change of the champion.

    Attributes:
        number: counted from 1.
        action: ``promoted``, ``forced`` or ``rolled back``.
        version: the champion from then on.
        before: the champion until then; empty for the first.
        who: the user of the operating system, and the machine.
        when: UTC, ISO 8601.
        reason: for forcing it, whether or not the gate required that; else empty.
        checks: of the gate; empty after a rollback, and for a version that has been deleted since.
    """

    number: int
    action: str
    version: str
    before: str
    who: str
    when: str
    reason: str = ""
    checks: Sequence[Check] = field(default=())


def record(client: MlflowClient, name: str, entry: Entry) -> None:
    """Add an entry: a short tag of the model, and a tag of the version for the checks, which may be long."""
    fields = asdict(entry)
    checks = [{name: value for name, value in each.items() if name != "way_out"} for each in fields.pop("checks")]
    key = f"{_TAG}{entry.number:04d}"
    if checks:
        client.set_model_version_tag(name, entry.version, f"{key}.checks", json.dumps(checks, ensure_ascii=False))
    client.set_registered_model_tag(name, key, json.dumps(fields, ensure_ascii=False))


def entries(client: MlflowClient, model: RegisteredModel) -> list[Entry]:
    """All entries with their checks, the oldest first."""
    without = moves(model)
    tags = {version: _tags(client, model.name, version) for version in {entry.version for entry in without}}
    checks = [_checks(tags[entry.version].get(f"{_TAG}{entry.number:04d}.checks")) for entry in without]
    return [Entry(**{**vars(entry), "checks": each}) for entry, each in zip(without, checks, strict=True)]


def moves(model: RegisteredModel) -> list[Entry]:
    """All entries without their checks, the oldest first."""
    return [Entry(**json.loads(value)) for key, value in sorted(model.tags.items()) if key.startswith(_TAG)]


def champion_of(model: RegisteredModel) -> str:
    """The version that serves; empty where none does."""
    return str(model.aliases.get(CHAMPION, ""))


def champions(moves: Sequence[Entry], champion: str) -> list[str]:
    """The stack of champions, the present one last; what was rolled back is no longer in it.

    A change may have been cut off before the alias was set, and people can set an alias by hand: the champion that each
    entry recorded (``before``), and the present one, take precedence over the entry before it.

    >>> first, second = (Entry(n, PROMOTED, v, b, "anna", "") for n, v, b in ((1, "1", ""), (2, "3", "1")))
    >>> champions([first, second], champion="3"), champions([first, second], champion="1")
    (['1', '3'], ['1'])
    """
    stack: list[str] = []
    for entry in moves:
        stack = _on_top(stack, entry.before)
        stack = _on_top(stack, entry.version) if entry.action == ROLLED_BACK else [*stack, entry.version]
    return _on_top(stack, champion)


def undone(moves: Sequence[Entry], champion: str) -> list[int]:
    """Numbers of the entries after which another version served: cut off before the alias was set, or set by hand.

    Args:
        moves: the oldest first.
        champion: the version that serves now.
    """
    served = [*(entry.before for entry in moves), champion][1:]
    return [entry.number for entry, after in zip(moves, served, strict=True) if entry.version != after]


def described(entries: Sequence[Entry], champion: str) -> list[str]:
    """The history in words, a line for each entry and one for the present champion; the oldest first.

    Args:
        entries: with their checks.
        champion: the version that serves now.
    """
    ineffective = undone(entries, champion)
    lines = [_line(entry) + (_UNDONE if entry.number in ineffective else "") for entry in entries]
    return [*lines, f"version {champion} is the champion" if champion else "there is no champion"]


def _line(entry: Entry) -> str:
    action = {PROMOTED: "promoted", FORCED: "forced", ROLLED_BACK: "rolled back to"}[entry.action]
    before = f"after version {entry.before}" if entry.before else "the first champion"
    when = f"{entry.when[:16].replace('T', ' ')} UTC"
    violated, n = failed(entry.checks), len(entry.checks)
    details = [
        f"reason: {entry.reason}" if entry.reason else "",
        f"{n - len(violated)} of {n} checks passed" if n else "",
        f"failed: {'; '.join(map(str, violated))}" if violated else "",
    ]
    return " · ".join([when, f"version {entry.version} {action}", before, f"by {entry.who}", *filter(None, details)])


def _on_top(stack: list[str], version: str) -> list[str]:
    """The stack down to the version, or with it where it was not there."""
    if not version:  # there was no champion: the alias was deleted by hand, or with its version
        return stack
    if version in stack:
        return stack[: len(stack) - stack[::-1].index(version)]
    return [*stack, version]


def _tags(client: MlflowClient, name: str, version: str) -> dict[str, str]:
    try:
        return client.get_model_version(name, version).tags
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _checks(recorded: str | None) -> list[Check]:
    # by position: version 0.1 recorded the same fields under other names
    return [Check(*each.values()) for each in json.loads(recorded)] if recorded else []
