"""Register what a run has learned, and decide which version serves.

python scripts/export.py run_id=<id> name=grocery-recommender              a new version; the last line is version=<n>
python scripts/export.py promote name=grocery-recommender version=3        champion, if it passes the gate
python scripts/export.py promote name=grocery-recommender version=3 --force "why"   past the gate; is recorded
python scripts/export.py rollback name=grocery-recommender                 the champion before the present one, again
python scripts/export.py history name=grocery-recommender                  who moved the champion, when and why
python scripts/export.py onnx model=models:/grocery-recommender@champion to=folder        a network as ONNX
python scripts/export.py embeddings model=models:/grocery-recommender/3 to=folder         vectors, an index of items

Where data has come in since the champion was judged, train its settings on that data too, and name the run:
promote … against=<run_id>. promote also takes the gate's settings (gate.alpha=.01; configs/gate/default.yaml lists
them, gate=<another yaml> names others). The registry is the one that uri= or MLFLOW_TRACKING_URI names, else
sqlite:///mlflow.db.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CONFIGS = Path(__file__).parents[1] / "configs"
TAKES = {
    "register": ("run_id", "name"),
    "promote": ("name", "version"),
    "rollback": ("name",),
    "history": ("name",),
    "onnx": ("model", "to"),
    "embeddings": ("model", "to"),
}


def main() -> None:
    """Parse, do, say what came of it."""
    if {"-h", "--help"} & set(sys.argv[1:]) or not sys.argv[1:]:
        print(__doc__)
        return
    try:
        command, words, overrides = arguments(sys.argv[1:])
    except ValueError as error:
        sys.exit(f"error: {error}")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")  # a server that is down is no matter of minutes
    from hydra.errors import HydraException  # here, so that --help does not wait for MLflow
    from mlflow.exceptions import MlflowException

    try:
        refused = COMMANDS[command](words, overrides)
    except (LookupError, ValueError, OSError, HydraException, MlflowException) as error:
        sys.exit(f"error: {' '.join(str(error).split())}")
    if refused:
        sys.exit(refused)


def arguments(given: Sequence[str]) -> tuple[str, dict[str, str], list[str]]:
    """The command, its words, and what is meant for the gate.

    Raises:
        ValueError: where a word is missing, unknown or out of place.
    """
    rest, force = _forced(given)
    verbs = [word for word in rest if "=" not in word]
    command = verbs[0] if verbs else "register"
    if command not in TAKES or len(verbs) > 1:
        raise ValueError(f"{' '.join(verbs)} is no command; there are {', '.join(list(TAKES)[1:])}")
    pairs = [word.partition("=") for word in rest if "=" in word]
    of_gate = command == "promote"
    overrides = [f"{name}={value}" for name, _, value in pairs if of_gate and name.partition(".")[0] == "gate"]
    words = {name: value for name, _, value in pairs if f"{name}={value}" not in overrides} | force
    takes = (*TAKES[command], "uri", *(["against", "--force"] if of_gate else []))
    strange = [name for name in words if name not in takes]
    missing = [name for name in TAKES[command] if not words.get(name)]
    if strange or missing:
        wrong = f"does not take {', '.join(strange)}" if strange else f"lacks {' and '.join(f'{m}=' for m in missing)}"
        raise ValueError(f"{command} {wrong}; it takes {', '.join(takes)}")
    return command, words, overrides


def _forced(given: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """The words without ``--force "reason"``, and the reason."""
    words = [part for word in given for part in (word.split("=", 1) if word.startswith("--force=") else [word])]
    if "--force" not in words:
        return words, {}
    at = words.index("--force")
    reason = words[at + 1].strip() if at + 1 < len(words) else ""
    if not reason or reason.partition("=")[0] in ("name", "version", "uri"):
        raise ValueError('--force needs a reason, which is recorded: --force "the champion answers with errors"')
    return [*words[:at], *words[at + 2 :]], {"--force": reason}


def _register(words: Mapping[str, str], overrides: Sequence[str]) -> str:
    from omniretail.registry.register import register

    print(f"version={register(_uri(words), words['run_id'], words['name'])}")
    return ""


def _promote(words: Mapping[str, str], overrides: Sequence[str]) -> str:
    from omniretail.registry.promotion import promote

    gate = _gate(overrides)
    outcome = promote(
        _uri(words), words["name"], words["version"], gate, words.get("--force", ""), words.get("against", "")
    )
    for check in outcome.checks:
        print(f"{'passed' if check.passed else 'FAILED'}  {check}")
    if not outcome.before:
        print(f"{outcome.name} has no champion yet, so there was nobody to beat")
    against = f"version {outcome.before} stays" if outcome.before else "there is still none"
    if not outcome.promoted:
        return f"version {outcome.version} of {outcome.name} does not become champion, {against}"
    forced = ", forced" if outcome.failed else ""
    print(f"version {outcome.version} is the champion of {outcome.name}{forced}")
    return ""


def _rollback(words: Mapping[str, str], overrides: Sequence[str]) -> str:
    from omniretail.registry.promotion import rollback

    entry = rollback(_uri(words), words["name"])
    print(f"version {entry.version} is the champion of {words['name']} again, after version {entry.before}")
    return ""


def _history(words: Mapping[str, str], overrides: Sequence[str]) -> str:
    from omniretail.registry.promotion import history_in_words

    print("\n".join(history_in_words(_uri(words), words["name"])))
    return ""


def _onnx(words: Mapping[str, str], overrides: Sequence[str]) -> str:
    from omniretail.registry.formats.handover import hand_over_onnx

    print(f"file={hand_over_onnx(_uri(words), words['model'], Path(words['to']))}")
    return ""


def _embeddings(words: Mapping[str, str], overrides: Sequence[str]) -> str:
    from omniretail.registry.formats.handover import hand_over_embeddings

    found = hand_over_embeddings(_uri(words), words["model"], Path(words["to"]))
    print("".join(f"{name}: {value}\n" for name, value in found.items()), f"folder={words['to']}", sep="")
    return ""


def _gate(overrides: Sequence[str]) -> Any:
    import hydra
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    chosen = [each.partition("=")[2] for each in overrides if each.startswith("gate=")] or ["default"]
    known = sorted(path.stem for path in (CONFIGS / "gate").glob("*.yaml"))
    if chosen[-1] not in known:
        raise ValueError(f"there is no gate={chosen[-1]}; configs/gate holds {', '.join(known)}")
    settings = [each for each in overrides if not each.startswith("gate=")]
    with hydra.initialize_config_dir(str(CONFIGS), version_base="1.3"):
        cfg = hydra.compose(f"gate/{chosen[-1]}", overrides=settings)
    try:
        return instantiate(cfg.gate)
    except InstantiationException as error:
        raise ValueError(error.__cause__ or error) from None


def _uri(words: Mapping[str, str]) -> str:
    return words.get("uri") or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


COMMANDS = {
    "register": _register,
    "promote": _promote,
    "rollback": _rollback,
    "history": _history,
    "onnx": _onnx,
    "embeddings": _embeddings,
}

if __name__ == "__main__":
    main()
