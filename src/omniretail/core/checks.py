"""Settings out of range are refused where an object is made, in one sentence that names the setting."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from numbers import Real
from types import NoneType, UnionType
from typing import Any, get_args

from omniretail.core.errors import SettingsError


def require(model: Any, name: str, condition: bool, rule: str) -> None:
    """Refuse a setting.

    Args:
        model: that is being made.
        name: of the setting, a field of the model.
        condition: what must hold.
        rule: what must hold, in words that follow "must".

    Raises:
        SettingsError: e.g. ``EASE: l2=-1 must be above 0``.
    """
    if not condition:
        raise SettingsError(f"{type(model).__name__}: {name}={getattr(model, name)!r} must {rule}")


def _value(model: Any, name: str) -> Any:
    value = getattr(model, name)
    number = value is None or (isinstance(value, Real) and not isinstance(value, bool))
    require(model, name, number, "be a number")
    return value


def above(model: Any, *names: str, low: float = 0) -> None:
    """Refuse settings that are not above ``low``; None passes."""
    for name in names:
        value = _value(model, name)
        require(model, name, value is None or value > low, f"be above {low:g}")


def at_least(model: Any, *names: str, low: float = 0) -> None:
    """Refuse settings below ``low``; None passes."""
    for name in names:
        value = _value(model, name)
        require(model, name, value is None or value >= low, f"be {low:g} or more")


def between(model: Any, *names: str, low: float = 0, high: float = 1) -> None:
    """Refuse settings outside [low, high]; None passes."""
    for name in names:
        value = _value(model, name)
        require(model, name, value is None or low <= value <= high, f"lie between {low:g} and {high:g}")


def one_of(model: Any, name: str, choices: Sequence[Any]) -> None:
    """Refuse a setting that is none of the choices."""
    words = ", ".join(map(str, choices))
    require(model, name, getattr(model, name) in choices, f"be one of {words}")


def numbers(made: Any) -> None:
    """Refuse text where a dataclass declares a number, and fractions where it declares a whole one; those inside too.

    Raises:
        SettingsError: naming the class and the setting.
    """
    if not is_dataclass(made) or isinstance(made, type):
        return
    for field in fields(made):
        value = getattr(made, field.name, None)
        kinds = {*get_args(field.type)} if isinstance(field.type, UnionType) else {field.type}
        if kinds <= {int, float, NoneType}:
            require(made, field.name, not isinstance(value, str), "be a number")
            whole = float in kinds or not isinstance(value, float) or value.is_integer()
            require(made, field.name, whole, "be a whole number")
        else:
            numbers(value)
