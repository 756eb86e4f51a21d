"""What ``scripts/export.py`` does: one function per action, which prints what came of it."""

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omniretail.config import command
from omniretail.core.errors import SettingsError
from omniretail.registry.gate import Gate

if TYPE_CHECKING:  # it imports MLflow, for which --help does not wait
    from omniretail.registry.promotion import Outcome

Settings = Mapping[str, Any]
REQUIRED: Mapping[str, Sequence[str]] = {
    "register": ("run_id", "name"),
    "promote": ("name", "version"),
    "rollback": ("name",),
    "history": ("name",),
    "onnx": ("model", "to"),
    "embeddings": ("model", "to"),
}
"""Action -> settings that it needs."""
OPTIONAL: Mapping[str, Sequence[str]] = {"promote": ("against", "force", "gate")}
"""Action -> further settings that it takes; each takes ``uri``."""


def perform(settings: Settings, named: Sequence[str], gate: Callable[[], Gate]) -> str:
    """Do what the settings say; the reason is returned where the gate refuses a version, else an empty text.

    Args:
        settings: of ``configs/export.yaml``, None where one is not set.
        named: the settings that the user has written, such as ``gate.alpha``.
        gate: makes the gate; called where it is needed.

    Raises:
        MissingError: where a run, model or version is not there.
        SettingsError: where a setting is missing or does not belong to the action, or cannot be used.
        TimeoutError: where other processes hold the lock on promotions for too long.
    """
    action = str(settings["action"])
    check_settings(action, settings, named)
    if action == "promote":
        return _promote(settings, gate())
    actions = {
        "register": _register,
        "rollback": _rollback,
        "history": _history,
        "onnx": _onnx,
        "embeddings": _embeddings,
    }
    actions[action](settings)
    return ""


def check_settings(action: str, settings: Settings, named: Sequence[str]) -> None:
    """Refuse settings that an action needs and lacks, or does not take; see ``perform``.

    Raises:
        SettingsError: naming them.
    """
    if action not in REQUIRED:
        raise SettingsError(f"action={action} is none of {', '.join(REQUIRED)}")
    takes = (*REQUIRED[action], "uri", *OPTIONAL.get(action, ()))
    foreign = [name for name in named if name.partition(".")[0] not in ("action", *takes)]
    missing = [name for name in REQUIRED[action] if settings[name] in (None, "")]
    if foreign or missing:
        reason = f"does not take {', '.join(foreign)}" if foreign else f"lacks {' and '.join(f'{m}=' for m in missing)}"
        raise SettingsError(f"action={action} {reason}; it takes {', '.join(takes)}")
    if "force" in named and not str(settings["force"] or "").strip():
        raise SettingsError("force= needs a reason, which is recorded: 'force=the champion answers with errors'")


def _register(settings: Settings) -> None:
    from omniretail.registry.register import register

    print(f"version={register(settings['uri'], str(settings['run_id']), str(settings['name']))}")


def _promote(settings: Settings, gate: Gate) -> str:
    from omniretail.registry.promotion import promote

    force, against = (str(settings[name] or "") for name in ("force", "against"))
    outcome = promote(settings["uri"], str(settings["name"]), str(settings["version"]), gate, force.strip(), against)
    for check in outcome.checks:
        print(f"{'passed' if check.passed else 'FAILED'}  {check}")
    if not outcome.before:
        print(f"{outcome.name} has no champion yet, so there is no version to beat")
    if not outcome.promoted:
        _print_ways_out(outcome)
        remains = f"version {outcome.before} remains" if outcome.before else "there is still none"
        return f"version {outcome.version} of {outcome.name} does not become champion, {remains}"
    print(f"version {outcome.version} is the champion of {outcome.name}{', forced' if outcome.failed else ''}")
    return ""


def _print_ways_out(outcome: "Outcome") -> None:
    for way_out in dict.fromkeys(check.way_out for check in outcome.failed if check.way_out):
        names = [check.name for check in outcome.failed if check.way_out == way_out]
        others = f" and {len(names) - 1} others" if len(names) > 1 else ""
        print(f"way out of {names[0]}{others}: {way_out}")
    own = f"action=promote name={shlex.quote(outcome.name)} version={outcome.version}"
    print(f"way out of all, recorded: {command('python')} scripts/export.py {own} 'force=it is needed now'")


def _rollback(settings: Settings) -> None:
    from omniretail.registry.promotion import rollback

    entry = rollback(settings["uri"], str(settings["name"]))
    print(f"version {entry.version} is the champion of {settings['name']} again, after version {entry.before}")


def _history(settings: Settings) -> None:
    from omniretail.registry.promotion import history_in_words

    print("\n".join(history_in_words(settings["uri"], str(settings["name"]))))


def _onnx(settings: Settings) -> None:
    from omniretail.registry.formats.handover import hand_over_onnx

    print(f"file={hand_over_onnx(settings['uri'], settings['model'], Path(settings['to']))}")


def _embeddings(settings: Settings) -> None:
    from omniretail.registry.formats.handover import hand_over_embeddings

    about = hand_over_embeddings(settings["uri"], settings["model"], Path(settings["to"]))
    print("".join(f"{name}: {value}\n" for name, value in about.items()), f"folder={settings['to']}", sep="")
