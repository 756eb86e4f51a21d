"""Moving the champion: promoted through the gate, forced past it, rolled back; one move at a time, each recorded."""

import getpass
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion, RegisteredModel
from mlflow.exceptions import MlflowException

from omniretail.profile.tags.rules import nearest
from omniretail.registry.gate import Contender, Gate
from omniretail.registry.gate_checks import Check, failed, stands_in
from omniretail.registry.history import (
    CHAMPION,
    FORCED,
    PROMOTED,
    ROLLED_BACK,
    Entry,
    champion_of,
    entries,
    moves,
    record,
    served,
    told,
)
from omniretail.registry.promotion_lock import LOCK, promotion_lock
from omniretail.tracking import load_result

STAGE = "test"
"""The stage whose figures decide."""
LATENCY = "latency_p99_ms"
"""The version's tag that says how long a request takes."""
_LONGEST = 1000


@dataclass(frozen=True)
class Outcome:
    """What came of a promotion.

    Attributes:
        name: the registered model.
        version: that wanted to be champion.
        before: the champion it was judged against; empty where there was none.
        promoted: whether it is the champion now.
        checks: what the gate found.
    """

    name: str
    version: str
    before: str
    promoted: bool
    checks: Sequence[Check]

    @property
    def failed(self) -> list[Check]:
        """What was not passed."""
        return failed(self.checks)


def promote(uri: str, name: str, version: str | int, gate: Gate, force: str = "", against: str = "") -> Outcome:
    """Make a version the champion where the gate lets it pass; else leave everything as it is.

    The first champion has nobody to beat: it has to keep to the bounds that need none. Whoever is champion by the time
    the version is through is who it must have beaten: where somebody else was promoted meanwhile, it is judged again.

    Args:
        uri: of the tracking store and registry.
        name: of the registered model.
        version: of it.
        gate: what is asked.
        against: a run of the champion's model and settings on the candidate's data, to stand in for the champion; where
            data has come in since, nothing else can be compared.
        force: why the version is to become champion even if the gate says no; recorded, also where it was not needed.

    Raises:
        LookupError: where there is no such name or version, or a run has no results on test.
        ValueError: where the version is the champion, or was made from no run; or the reason is too long.
        TimeoutError: where others hold the turn for too long.
    """
    if len(force) > _LONGEST:
        raise ValueError(f"the reason has {len(force):,} letters; {_LONGEST:,} are kept")
    client = MlflowClient(uri, uri)
    candidate = _contender(uri, version_of(client, uri, name, version))
    while True:
        before = champion_of(model_of(client, uri, name))
        found = _judged(client, uri, name, gate, candidate, before, against)
        if failed(found) and not force:
            return Outcome(name, candidate.version, before, promoted=False, checks=found)
        action = FORCED if failed(found) else PROMOTED
        who = _who()
        with promotion_lock(client, name, who) as still_mine:
            model = model_of(client, uri, name)
            if champion_of(model) == before:
                entry = _entry(model, action, candidate.version, who, force, found)
                still_mine()
                _move(client, name, entry)
                return Outcome(name, candidate.version, before, promoted=True, checks=found)


def rollback(uri: str, name: str) -> Entry:
    """Make the champion before the present one the champion again; the next rollback goes one further back.

    Raises:
        LookupError: where there is no such name, no champion, none before it, or that one is deleted.
        TimeoutError: where others hold the turn for too long.
    """
    client, who = MlflowClient(uri, uri), _who()
    model_of(client, uri, name)
    with promotion_lock(client, name, who) as still_mine:
        model = model_of(client, uri, name)
        version_of(client, uri, name, _one_before(model))
        entry = _entry(model, ROLLED_BACK, _one_before(model), who)
        still_mine()
        _move(client, name, entry)
    return entry


def history(uri: str, name: str) -> list[Entry]:
    """Every move of the champion, the oldest first.

    Raises:
        LookupError: where there is no such name.
    """
    client = MlflowClient(uri, uri)
    return entries(client, model_of(client, uri, name))


def history_in_words(uri: str, name: str) -> list[str]:
    """A line for every move, and one for who is champion now; see ``history``."""
    client = MlflowClient(uri, uri)
    model = model_of(client, uri, name)
    return told(entries(client, model), champion_of(model))


def model_of(client: MlflowClient, uri: str, name: str) -> RegisteredModel:
    """A registered model; LookupError naming the nearest where there is none of that name."""
    try:
        return client.get_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    names = [each.name for each in client.search_registered_models(max_results=1000) if not each.name.endswith(LOCK)]
    hint = nearest(name, names) or ("" if names else "; nothing is registered there")
    raise LookupError(f"no model is registered as {name} in {uri}{hint}")


def version_of(client: MlflowClient, uri: str, name: str, version: str | int) -> ModelVersion:
    """A version; LookupError naming those there are where there is none of that number."""
    model_of(client, uri, name)
    if not str(version).isdecimal():
        raise ValueError(f"version takes a whole number, not {version}")
    try:
        return client.get_model_version(name, str(version))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
    known = sorted(int(each.version) for each in client.search_model_versions(f"name = '{name}'"))
    listed = ", ".join(map(str, known[-10:])) or "none"
    raise LookupError(f"{name} has no version {version}; it has {'… ' if len(known) > 10 else ''}{listed}")


def _contender(uri: str, version: ModelVersion) -> Contender:
    named = f"version {version.version} of {version.name}"
    if not version.run_id:
        raise ValueError(f"{named} was made from no run, so nothing is known of its figures; register a run")
    try:
        result = load_result(uri, version.run_id, STAGE)
    except LookupError as error:
        raise LookupError(f"{named} cannot be judged: {error}") from None
    measured = version.tags.get(LATENCY)
    return Contender(str(version.version), result, float(measured) if measured else None)


def _judged(
    client: MlflowClient, uri: str, name: str, gate: Gate, candidate: Contender, before: str, against: str
) -> Sequence[Check]:
    if before == candidate.version:
        raise ValueError(f"version {before} of {name} is the champion already")
    if not before:
        return gate.decide(candidate, None)
    try:
        champion = _contender(uri, version_of(client, uri, name, before))
    except (LookupError, ValueError) as error:
        lost = Check("the champion's results", str(error), "there, to be beaten", passed=False)
        return [lost, *gate.decide(candidate, None)]
    if not against:
        return gate.decide(candidate, champion)
    stand_in = replace(champion, result=load_result(uri, against, STAGE))
    return [stands_in(stand_in.result, champion.result), *gate.decide(candidate, stand_in)]


def _one_before(model: RegisteredModel) -> str:
    champion = champion_of(model)
    if not champion:
        raise LookupError(f"{model.name} has no champion, so there is nothing to roll back; promote a version")
    pile = served(moves(model), champion)
    if len(pile) < 2:
        raise LookupError(
            f"there is nothing to roll back to: no champion of {model.name} came before version {champion}"
        )
    return pile[-2]


def _entry(
    model: RegisteredModel, action: str, version: str, who: str, reason: str = "", checks: Sequence[Check] = ()
) -> Entry:
    number = max((each.number for each in moves(model)), default=0) + 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(number, action, version, champion_of(model), who, now, reason, checks)


def _move(client: MlflowClient, name: str, entry: Entry) -> None:
    """Recorded first: if cut off in between, the history has a move too many (``undone``) and never one too few."""
    record(client, name, entry)
    client.set_registered_model_alias(name, CHAMPION, entry.version)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
