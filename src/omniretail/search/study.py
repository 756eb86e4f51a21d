"""A study: its trials are those of one question, and are never mixed with those of another."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.exceptions import DuplicatedStudyError
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from omniretail.core.errors import SettingsError
from omniretail.core.overrides import override
from omniretail.metrics.names import lower_is_better
from omniretail.search.space import Dimension, in_words, value_at

log = logging.getLogger(__name__)
_IDENTITY, _OBJECTIVE = "identity", "objective"
ERROR = "error"
"""Attribute of a trial that failed; one whose process ended before it has none."""
COSTS = ("fit_s", "score_s", "peak_memory_mb")
"""Costs of an evaluation that may be objectives; lower is better."""


def direction(metric: str) -> Literal["minimize", "maximize"]:
    """Optuna's word for which values of a metric are better.

    >>> direction("ndcg_at_10"), direction("fit_s")
    ('maximize', 'minimize')
    """
    return "minimize" if metric.endswith(COSTS) or lower_is_better(metric) else "maximize"


def open_study(
    storage: RDBStorage, name: str, objective: Sequence[str], identity: Mapping[str, str], restart: bool = False
) -> Study:
    """The study of this name, made where there is none.

    Args:
        storage: the database.
        name: of the study.
        objective: metrics.
        identity: all that must be equal for two trials to be comparable, in words.
        restart: whether the trials of an earlier study of this name are forgotten.

    Raises:
        SettingsError: where the study is one of other data, another protocol or other settings.
    """
    if restart and name in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=name, storage=storage)
    try:
        study = optuna.create_study(storage=storage, study_name=name, directions=[direction(m) for m in objective])
        study.set_user_attr(_IDENTITY, dict(identity))
        study.set_user_attr(_OBJECTIVE, list(objective))
    except DuplicatedStudyError:
        study = optuna.load_study(study_name=name, storage=storage)
        _require_same(study, identity)
    return study


def objective_names(study: Study) -> list[str]:
    """Keys of the objectives."""
    return list(study.user_attrs[_OBJECTIVE])


def identity_of(
    protocol: Mapping[str, str], settings: Mapping[str, str], space: Sequence[Dimension], objective: Sequence[str]
) -> dict[str, str]:
    """All that must be equal for two trials to be comparable, in words.

    Bounds of a range may change from command to command; choices may not, since Optuna holds them to be one setting.

    Args:
        protocol: of the task.
        settings: of model and trainer, by dotted names.
        space: what is searched.
        objective: metrics.
    """
    searched = {dimension.name for dimension in space}
    fixed = {name: value for name, value in settings.items() if name not in searched}
    choices = {each.place: ", ".join(map(str, each.choices)) for each in space if each.choices}
    return {**protocol, "objective": ", ".join(objective), **fixed, **choices}


def _require_same(study: Study, identity: Mapping[str, str]) -> None:
    before: dict[str, str] = study.user_attrs.get(_IDENTITY, {})
    for name in dict.fromkeys([*identity, *before]):
        now, then = identity.get(name, "not set"), before.get(name, "not set")
        if now != then:
            ways = (override("search.study", f"{study.study_name}-2"), override("search.restart", True))
            raise SettingsError(
                f"the study {study.study_name} has trials with {name}: {then[:80]}, and now it is {now[:80]}, so that "
                f"they cannot be compared; begin another one with {ways[0]}, or forget those trials with {ways[1]}"
            )


def enqueue(study: Study, space: Sequence[Dimension], starts: Sequence[Mapping[str, Any]]) -> None:
    """Let a new study begin with known settings: the model's defaults, then those that validation preferred before.

    Args:
        study: does nothing where it has trials.
        space: what is searched.
        starts: settings, nested.
    """
    if study.get_trials(deepcopy=False):
        return
    for settings in starts:
        params = {each.name: value_at(settings, each.name) for each in space}
        known = {name: value for name, value in params.items() if not name.startswith("model.params.")}
        outside = {
            each.name: known[each.name] for each in space if each.name in known and not each.contains(known[each.name])
        }
        if outside:
            log.warning("not tried, since it lies outside the space: %s", in_words(outside))
        else:
            study.enqueue_trial(
                {name: _exact(study, space, name, value) for name, value in known.items()}, skip_if_exists=True
            )


def _exact(study: Study, space: Sequence[Dimension], name: str, value: Any) -> Any:
    """The value in the type of its dimension, so that two equal starts are one trial."""
    dimension = next(each for each in space if each.name == name)
    if isinstance(dimension.distribution(), CategoricalDistribution):
        return next(each for each in dimension.choices if each == value)
    return int(value) if dimension.whole else float(value)


def best_of(study: Study, number: int | None = None) -> FrozenTrial:
    """The trial to judge: that of a number, from 1, or the best in the first objective, then in the next.

    Raises:
        SettingsError: where no trial has finished, with the error of the last that failed, or that one has not.
    """
    finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not finished:
        raise SettingsError(_nothing_finished(study))
    if number is not None:
        chosen = [trial for trial in finished if trial.number + 1 == number]
        if not chosen:
            numbers = ", ".join(str(trial.number + 1) for trial in study.best_trials)
            raise SettingsError(f"search.trial={number} has not finished; the best are {numbers}")
        return chosen[0]
    signs = [1 if each == StudyDirection.MAXIMIZE else -1 for each in study.directions]
    return max(finished, key=lambda trial: [s * value for s, value in zip(signs, values_of(trial), strict=True)])


def _nothing_finished(study: Study) -> str:
    trials = [trial for trial in study.get_trials(deepcopy=False) if trial.state != TrialState.WAITING]
    failed = [trial.user_attrs[ERROR] for trial in trials if ERROR in trial.user_attrs]
    if failed:
        return f"none of {len(trials)} trials has finished; the last failed: {failed[-1]}"
    return (
        f"none of {len(trials)} trials has finished in the time; give the search more, such as search.timeout=3600, or "
        "a lighter model, such as trainer.max_epochs=5"
    )


def values_of(trial: FrozenTrial) -> list[float]:
    """The objectives of a trial; none where it has not finished."""
    return list(trial.values or []) if trial.state == TrialState.COMPLETE else []
