"""Changing the champion: promoted through the gate, forced past it, rolled back; one at a time, each recorded."""

import getpass
import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion, RegisteredModel

from omniretail.core.errors import MissingError, SettingsError
from omniretail.registry.gate import Contender, Gate
from omniretail.registry.gate_checks import Check, failed, same_settings
from omniretail.registry.history import (
    CHAMPION,
    FORCED,
    PROMOTED,
    ROLLED_BACK,
    Entry,
    champion_of,
    champions,
    described,
    entries,
    moves,
    record,
)
from omniretail.registry.latency import Latency, measured_latency
from omniretail.registry.promotion_lock import promotion_lock
from omniretail.serving.lookup import registered_model, registered_version
from omniretail.tracking import load_config, load_result, open_store

STAGE = "test"
"""The stage whose metrics decide."""
_MAX_REASON = 1000


@dataclass(frozen=True)
class Outcome:
    """What came of a promotion.

    Attributes:
        name: the registered model.
        version: to be promoted.
        before: the champion that it was compared with; empty where there was none.
        promoted: whether it is the champion now.
        checks: of the gate.
    """

    name: str
    version: str
    before: str
    promoted: bool
    checks: Sequence[Check]

    @property
    def failed(self) -> list[Check]:
        """Checks that were not passed."""
        return failed(self.checks)


def promote(uri: str, name: str, version: str | int, gate: Gate, force: str = "", against: str = "") -> Outcome:
    """Make a version the champion where it passes the gate; else change nothing.

    The first version has no champion to beat; only its latency is checked. Where another version becomes champion in
    the meantime, the gate decides again.

    Args:
        uri: of the tracking store and registry.
        name: of the registered model.
        version: of it.
        gate: what is required.
        force: the reason for promoting the version even where the gate refuses it; recorded also where it passes.
        against: a run of the champion's model and settings on the candidate's data, to be compared with instead of the
            champion's own run; needed where data has come in since.

    Raises:
        MissingError: where there is no such name or version, or a run has no results on test.
        SettingsError: where the version is the champion, or was made from no run; or the reason is too long.
        TimeoutError: where other processes hold the lock for too long.
    """
    if len(force) > _MAX_REASON:
        raise SettingsError(f"the reason has {len(force):,} characters; at most {_MAX_REASON:,} are recorded")
    client = open_store(uri)
    candidate = _contender(uri, registered_version(client, uri, name, version))
    while True:
        before = champion_of(registered_model(client, uri, name))
        checks = _checks(client, uri, name, gate, candidate, before, against)
        if failed(checks) and not force:
            return Outcome(name, candidate.version, before, promoted=False, checks=checks)
        action, who = FORCED if failed(checks) else PROMOTED, _who()
        with promotion_lock(client, name, who) as require_lock:
            model = registered_model(client, uri, name)
            if champion_of(model) == before:
                entry = _entry(model, action, candidate.version, who, force, checks)
                require_lock()
                _set_champion(client, name, entry)
                return Outcome(name, candidate.version, before, promoted=True, checks=checks)


def rollback(uri: str, name: str) -> Entry:
    """Make the champion before the present one the champion again; the next rollback goes one further back.

    Raises:
        MissingError: where there is no such name, no champion, none before it, or that one is deleted.
        TimeoutError: where other processes hold the lock for too long.
    """
    client, who = open_store(uri), _who()
    registered_model(client, uri, name)
    with promotion_lock(client, name, who) as require_lock:
        model = registered_model(client, uri, name)
        registered_version(client, uri, name, _previous_champion(model))
        entry = _entry(model, ROLLED_BACK, _previous_champion(model), who)
        require_lock()
        _set_champion(client, name, entry)
    return entry


def history(uri: str, name: str) -> list[Entry]:
    """Every change of the champion, the oldest first.

    Raises:
        MissingError: where there is no such name.
    """
    client = open_store(uri)
    return entries(client, registered_model(client, uri, name))


def history_in_words(uri: str, name: str) -> list[str]:
    """A line for every change, and one for the present champion; see ``history``."""
    client = open_store(uri)
    model = registered_model(client, uri, name)
    return described(entries(client, model), champion_of(model))


def _contender(uri: str, version: ModelVersion) -> Contender:
    named = f"version {version.version} of {version.name}"
    if not version.run_id:
        raise SettingsError(f"{named} was made from no run, so it has no metrics; register a run")
    try:
        result = load_result(uri, version.run_id, STAGE)
    except LookupError as error:
        raise MissingError(f"{named} cannot be compared: {error}") from None
    primary = load_config(uri, version.run_id).report.primary
    return Contender(str(version.version), result, primary)


def _checks(
    client: MlflowClient, uri: str, name: str, gate: Gate, candidate: Contender, before: str, against: str
) -> Sequence[Check]:
    if before == candidate.version:
        raise SettingsError(f"version {before} of {name} is the champion already")
    measured = measured_latency(uri, name, candidate.version, before) if gate.needs_latency(bool(before)) else Latency()
    if not before:
        return gate.decide(candidate, None, measured)
    try:
        champion = _contender(uri, registered_version(client, uri, name, before))
    except (LookupError, ValueError) as error:
        missing = Check("the champion's results", str(error), "recorded, to be compared with", passed=False)
        return [missing, *gate.decide(candidate, None, measured)]
    if not against:
        return gate.decide(candidate, champion, measured)
    stand_in = replace(champion, result=load_result(uri, against, STAGE))
    return [same_settings(stand_in.result, champion.result), *gate.decide(candidate, stand_in, measured)]


def _previous_champion(model: RegisteredModel) -> str:
    champion = champion_of(model)
    if not champion:
        raise MissingError(f"{model.name} has no champion, so there is nothing to roll back; promote a version")
    stack = champions(moves(model), champion)
    if len(stack) < 2:
        raise MissingError(
            f"there is nothing to roll back to: no champion of {model.name} came before version {champion}"
        )
    return stack[-2]


def _entry(
    model: RegisteredModel, action: str, version: str, who: str, reason: str = "", checks: Sequence[Check] = ()
) -> Entry:
    number = max((each.number for each in moves(model)), default=0) + 1
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return Entry(number, action, version, champion_of(model), who, now, reason, checks)


def _set_champion(client: MlflowClient, name: str, entry: Entry) -> None:
    """Record first: if cut off in between, the history has an entry too many (``undone``) and never one too few."""
    record(client, name, entry)
    client.set_registered_model_alias(name, CHAMPION, entry.version)


def _who() -> str:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container may have no name for its user
        user = f"user {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
