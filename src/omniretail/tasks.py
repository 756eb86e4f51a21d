"""The one mechanism: a task is a question with its protocol; its evaluation is what a run saves and people look at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from inspect import signature
from typing import Any, Protocol

import pandas as pd

from omniretail.core.errors import DataError
from omniretail.dataset import Dataset
from omniretail.policies.protocol import described
from omniretail.result import Result
from omniretail.splits.cutoff import Stage, protocol_text

_SEEDS = ("seed", "random_state")

NOT_PROTOCOL = {"protocol": False}
"""Metadata of a task's field that changes what is shown or how fast, never what is measured."""


@dataclass(frozen=True)
class Evaluation:
    """What a task found of one model at one stage.

    Attributes:
        result: the metrics.
        bundle: keyword arguments of the function that the task's yaml names under ``outputs.bundle``: what can be
            registered; None where nothing can.
        tables: further tables by file name without its ending, kept with the run as Parquet.
        findings: what the page of the task shows, whatever the function under ``outputs.page`` takes.
        model: as fitted.
    """

    result: Result
    bundle: Mapping[str, Any] | None = None
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    findings: Any = None
    model: Any = None


class Task(Protocol):
    """A question: what is learned from, what is judged, by which metrics.

    A task is a frozen dataclass; its fields are its settings and part of the protocol, except those whose metadata is
    ``NOT_PROTOCOL``.
    """

    def evaluate(self, model: Any, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the model on what lies before the stage's cutoff, and judge it by what lies after.

        Raises:
            DataError: where the data does not allow it.
            SettingsError: where settings do not fit, or a model's answers are not finite.
        """
        ...


def protocol_of(task: Any, name: str, data: Dataset, stage: Stage, **others: str) -> dict[str, str]:
    """Every setting that must be equal for two results to be comparable, in words.

    Args:
        task: a frozen dataclass.
        name: of the task.
        data: on which it judges.
        stage: at which.
        others: what the task knows better than its fields say, by name.
    """
    settings = {f.name: described(getattr(task, f.name)) for f in fields(task) if f.metadata.get("protocol", True)}
    return {
        "source": data.tables.card.title,
        "data": data.tables.version,
        "split": protocol_text(data.split),
        "stage": stage,
        "task": name,
        **settings,
        **others,
    }


def model_name(model: Any) -> str:
    """What people call it: its ``label`` where it has one, else its class."""
    return str(getattr(model, "label", type(model).__name__))


def parameters_of(model: Any) -> str:
    """The model's hyper-parameters in a line, its seed left out; those of models inside and of the trainer too.

    >>> from omniretail.models.recommenders.popular import Popular
    >>> parameters_of(Popular())
    'count=users'
    """
    return " ".join(f"{name}={value}".replace(" ", "") for name, value in sorted(_settings(model)))


def seed_of(model: Any) -> int:
    """Its ``seed`` or ``random_state``, else that of a model inside; 0 where nothing is random.

    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from omniretail.models.uplift.t_learner import TLearner
    >>> seed_of(TLearner(HistGradientBoostingClassifier(random_state=7)))
    7
    """
    own = [getattr(model, name) for name in _SEEDS if getattr(model, name, None) is not None]
    inside = (seed_of(value) for value in vars(model).values() if hasattr(value, "fit"))
    return own[0] if own else next((seed for seed in inside if seed), 0)


def _settings(model: Any, prefix: str = "") -> list[tuple[str, str]]:
    settings = []
    for name, value in _hyper_parameters(model).items():
        if is_dataclass(value) or hasattr(value, "fit"):
            settings += [(f"{prefix}{name}", type(value).__name__)] if hasattr(value, "fit") else []
            settings += _settings(value, f"{prefix}{name}.")
        elif name not in _SEEDS:
            settings.append((f"{prefix}{name}", str(value)))
    return settings


def _hyper_parameters(model: Any) -> dict[str, Any]:
    """By name; of a model that is no dataclass, such as scikit-learn's, those that differ from its defaults."""
    if is_dataclass(model):
        return {f.name: getattr(model, f.name) for f in fields(model) if f.init and f.metadata.get("protocol", True)}
    defaults = {name: str(parameter.default) for name, parameter in signature(type(model)).parameters.items()}
    own = {name: value for name, value in vars(model).items() if not name.endswith("_") and name[0] != "_"}
    return {name: value for name, value in own.items() if defaults.get(name) != str(value)}


def require_methods(model: Any, methods: Sequence[str], group: str, example: str) -> None:
    """Refuse a model that another task evaluates, before anything is fitted.

    Args:
        model: to be evaluated.
        methods: that the task calls.
        group: folder of ``configs/model`` whose models have them.
        example: one of them, as it is written after ``model=``.

    Raises:
        DataError: where the model lacks one of the methods.
    """
    missing = [name for name in methods if not callable(getattr(model, name, None))]
    if missing:
        raise DataError(
            f"{model_name(model)} has no {missing[0]}(): this task evaluates models of configs/model/{group}, "
            f"such as model={example}"
        )
