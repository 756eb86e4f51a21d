"""Who made which version the champion, when, and why: kept in the registry's tags."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from mlflow import MlflowClient
from mlflow.entities.model_registry import RegisteredModel
from mlflow.exceptions import MlflowException

from omniretail.registry.gate_checks import Check, failed

PROMOTED, FORCED, ROLLED_BACK = "promoted", "forced", "rolled back"
CHAMPION = "champion"
"""The alias under which the version that serves is found."""
_TAG = "promotion."
_UNDONE = " · did not take effect, or was undone by hand"


@dataclass(frozen=True)
class Entry:
    """One move of the champion.

    Attributes:
        number: counted from 1.
        action: ``promoted``, ``forced`` or ``rolled back``.
        version: the champion from then on.
        before: the champion until then; empty for the first.
        who: the user of the operating system, and the machine.
        when: UTC, ISO 8601.
        reason: given with a force, whether or not the gate needed it; else empty.
        checks: what the gate found; empty for what was rolled back, and for a version that is deleted since.
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
    facts = asdict(entry)
    found = facts.pop("checks")
    key = f"{_TAG}{entry.number:04d}"
    if found:
        client.set_model_version_tag(name, entry.version, f"{key}.checks", json.dumps(found, ensure_ascii=False))
    client.set_registered_model_tag(name, key, json.dumps(facts, ensure_ascii=False))


def entries(client: MlflowClient, model: RegisteredModel) -> list[Entry]:
    """All entries with their checks, the oldest first."""
    found = moves(model)
    tags = {version: _tags(client, model.name, version) for version in {entry.version for entry in found}}
    return [Entry(**{**vars(e), "checks": _checks(tags[e.version].get(f"{_TAG}{e.number:04d}.checks"))}) for e in found]


def moves(model: RegisteredModel) -> list[Entry]:
    """All entries without their checks, the oldest first."""
    return [Entry(**json.loads(value)) for key, value in sorted(model.tags.items()) if key.startswith(_TAG)]


def champion_of(model: RegisteredModel) -> str:
    """The version that serves; empty where none does."""
    return str(model.aliases.get(CHAMPION, ""))


def served(moves: Sequence[Entry], champion: str) -> list[str]:
    """The champions one on top of the other, the present one last; what was rolled back is gone from the pile.

    A move may have been cut off before the alias followed, and people can move an alias by hand: what each entry saw
    (``before``), and what is seen now, is believed more than the entry before it.

    >>> first, second = (Entry(n, PROMOTED, v, b, "anna", "") for n, v, b in ((1, "1", ""), (2, "3", "1")))
    >>> served([first, second], champion="3"), served([first, second], champion="1")
    (['1', '3'], ['1'])
    """
    pile: list[str] = []
    for entry in moves:
        pile = _on_top(pile, entry.before)
        pile = _on_top(pile, entry.version) if entry.action == ROLLED_BACK else [*pile, entry.version]
    return _on_top(pile, champion)


def undone(moves: Sequence[Entry], champion: str) -> list[int]:
    """Numbers of the entries after which another version served: cut off before the alias followed, or moved by hand.

    Args:
        moves: the oldest first.
        champion: the version that serves now.
    """
    seen = [*(entry.before for entry in moves), champion][1:]
    return [entry.number for entry, after in zip(moves, seen, strict=True) if entry.version != after]


def told(found: Sequence[Entry], champion: str) -> list[str]:
    """The history in words, a line for each move and one for how it stands; the oldest first.

    Args:
        found: with their checks.
        champion: the version that serves now.
    """
    strange = undone(found, champion)
    lines = [_line(entry) + (_UNDONE if entry.number in strange else "") for entry in found]
    return [*lines, f"version {champion} is the champion" if champion else "there is no champion"]


def _line(entry: Entry) -> str:
    did = {PROMOTED: "promoted", FORCED: "forced", ROLLED_BACK: "rolled back to"}[entry.action]
    since = f"after version {entry.before}" if entry.before else "nobody before"
    when = f"{entry.when[:16].replace('T', ' ')} UTC"
    broken = "; ".join(map(str, failed(entry.checks)))
    passed = (
        f"{len(entry.checks) - len(failed(entry.checks))} of {len(entry.checks)} checks passed" if entry.checks else ""
    )
    said = [f"because: {entry.reason}" if entry.reason else "", passed, f"failed: {broken}" if broken else ""]
    return " · ".join([when, f"version {entry.version} {did}", since, f"by {entry.who}", *filter(None, said)])


def _on_top(pile: list[str], version: str) -> list[str]:
    """The pile down to the version, or with it where it was not there."""
    if not version:  # nobody served: the alias was deleted by hand, or with its version
        return pile
    if version in pile:
        return pile[: len(pile) - pile[::-1].index(version)]
    return [*pile, version]


def _tags(client: MlflowClient, name: str, version: str) -> dict[str, str]:
    try:
        return client.get_model_version(name, version).tags
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return {}


def _checks(found: str | None) -> list[Check]:
    return [Check(**each) for each in json.loads(found)] if found else []
