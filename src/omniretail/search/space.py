"""The space of a search: what is searched, between which bounds or among which choices."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from omniretail.config_errors import nearest
from omniretail.core.errors import SettingsError
from omniretail.core.overrides import override

_RANGE = {"low", "high", "log", "int"}
_EDGE = 0.02
"""Share of a range, from either end, that counts as its edge."""


@dataclass(frozen=True)
class Dimension:
    """One setting that is searched: a range, or a list of choices.

    Attributes:
        name: dotted, as on the command line.
        low: lower end, included; None for choices.
        high: upper end, included.
        log: whether it is drawn evenly on a logarithmic scale.
        whole: whether only whole numbers are drawn.
        choices: values; empty for a range.
    """

    name: str
    low: float | None = None
    high: float | None = None
    log: bool = False
    whole: bool = False
    choices: Sequence[Any] = ()

    def __post_init__(self) -> None:
        if self.low is None or self.high is None:
            return
        if self.low > self.high:
            ways = (override(f"{self.place}.low", self.high), override(f"{self.place}.high", self.low))
            raise SettingsError(f"{self.place}: low {self.low:g} is above high {self.high:g}; write {' '.join(ways)}")
        if self.log and self.low <= 0:
            way = override(f"{self.place}.log", False)
            raise SettingsError(f"{self.place}: low {self.low:g} has no logarithm; raise it, or write {way}")

    @property
    def place(self) -> str:
        """Where the settings hold it."""
        return f"search.space.{self.name}"

    def distribution(self) -> BaseDistribution:
        """The same in Optuna's words."""
        if self.low is None or self.high is None:
            return CategoricalDistribution(list(self.choices))
        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log)
        return FloatDistribution(self.low, self.high, log=self.log)

    def values(self) -> Sequence[Any] | None:
        """All values, where they can be counted; None for a range of numbers with fractions."""
        if self.low is None or self.high is None:
            return self.choices
        return range(int(self.low), int(self.high) + 1) if self.whole else None

    def contains(self, value: Any) -> bool:
        """Whether a value can be drawn."""
        if self.low is None or self.high is None:
            return any(value == each and (value is None) == (each is None) for each in self.choices)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return number and self.low <= value <= self.high and (not self.whole or float(value).is_integer())

    def position(self, value: Any) -> float:
        """Place of a value between the ends, 0 to 1, on the scale on which it is drawn; choices by their order."""
        if self.low is None or self.high is None:
            return list(self.choices).index(value) / max(1, len(self.choices) - 1)
        low, high, at = (math.log(x) if self.log else x for x in (self.low, self.high, value))
        return (at - low) / (high - low) if high > low else 0.5

    def wider(self, value: Any) -> tuple[str, float] | None:
        """The end of the range at whose edge a value lies, ``low`` or ``high``, and one further out; None inside.

        >>> Dimension("model.l2", 1.0, 10000.0, log=True).wider(9800.0)
        ('high', 1000000.0)
        """
        if self.low is None or self.high is None or self.low == self.high:
            return None
        place = self.position(value)
        if _EDGE < place < 1 - _EDGE and not (self.whole and value in (self.low, self.high)):
            return None
        end = "low" if place < 0.5 else "high"
        further = self._further(end)
        return None if further in (self.low, self.high) else (end, further)

    def _further(self, end: str) -> float:
        assert self.low is not None
        assert self.high is not None
        if self.log:
            factor = math.sqrt(self.high / self.low)
            moved = self.low / factor if end == "low" else self.high * factor
        else:
            moved = self.low - (self.high - self.low) if end == "low" else self.high + (self.high - self.low)
            moved = max(moved, 0.0) if self.low >= 0 else moved  # a setting that may be negative says so by its range
        return (
            max(1, round(moved)) if self.whole and self.log else round(moved) if self.whole else float(f"{moved:.3g}")
        )


def dimensions(space: Mapping[str, Any], settings: Mapping[str, Any]) -> list[Dimension]:
    """The dimensions of a space, checked.

    Args:
        space: nested like the settings; a leaf is ``{low, high, log, int}`` or ``{choices}``.
        settings: all that can be set, nested.

    Raises:
        SettingsError: where there is no such setting, or bounds or choices make no range.

    >>> dimensions({"model": {"k": {"low": 1, "high": 9}}}, {"model": {"k": 5}})[0].whole
    True
    """
    searched = list(_leaves(space, ""))
    for dimension in searched:
        _require_setting(dimension, settings)
    return searched


def _leaves(node: Any, path: str) -> Iterator[Dimension]:
    if not isinstance(node, Mapping):
        raise SettingsError(
            f"search.space.{path}={node} is no range; write {override(f'search.space.{path}', {'low': 1, 'high': 10})} "
            f"or {override(f'search.space.{path}', {'choices': [1, 2]})}"
        )
    if {*node} & (_RANGE | {"choices"}) and not any(isinstance(value, Mapping) for value in node.values()):
        yield _dimension(path, node)
        return
    for name, value in node.items():
        yield from _leaves(value, f"{path}.{name}" if path else str(name))


def _dimension(name: str, leaf: Mapping[str, Any]) -> Dimension:
    place = f"search.space.{name}"
    if "choices" in leaf:
        if not isinstance(leaf["choices"], list) or not leaf["choices"] or len(leaf) > 1:
            raise SettingsError(f"{place}: choices are a list and stand alone, such as {place}.choices=[1,2,4]")
        return Dimension(name, choices=tuple(leaf["choices"]))
    if missing := [end for end in ("low", "high") if leaf.get(end) is None]:
        raise SettingsError(f"{place} has no {missing[0]}; add +{place}.{missing[0]}=<a number>")
    if unknown := {*leaf} - _RANGE:
        raise SettingsError(f"{place} has {', '.join(sorted(unknown))}; a range has low, high, log and int alone")
    low, high = leaf["low"], leaf["high"]
    for end, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"{place}.{end}={value} is no number")
    whole = bool(leaf.get("int", isinstance(low, int) and isinstance(high, int)))
    return Dimension(name, low, high, bool(leaf.get("log", False)), whole)


def _require_setting(dimension: Dimension, settings: Mapping[str, Any]) -> None:
    node: Any = settings
    parts = dimension.name.split(".")
    for depth, part in enumerate(parts):
        parent = ".".join(parts[:depth])
        if parent == "model.params":  # the model knows which of these are right
            return
        if not isinstance(node, Mapping) or part not in node:
            names = nearest(part, map(str, node) if isinstance(node, Mapping) else (), parent)
            raise SettingsError(f"{dimension.place}: there is no setting {dimension.name}{names}")
        node = node[part]


def combinations(space: Sequence[Dimension], most: int) -> list[dict[str, Any]]:
    """Every trial that a space allows; none where there are more than ``most``.

    >>> combinations([Dimension("model.k", choices=(1, 2)), Dimension("model.m", 5, 6, whole=True)], 3)
    []
    """
    values = [each.values() for each in space]
    if any(each is None for each in values) or math.prod(len(each or ()) for each in values) > most:
        return []
    return [
        dict(zip((each.name for each in space), chosen, strict=True)) for chosen in product(*(v or () for v in values))
    ]


def value_at(settings: Mapping[str, Any], name: str) -> Any:
    """The value of a dotted name in nested settings; None where there is none."""
    node: Any = settings
    for part in name.split("."):
        node = node.get(part) if isinstance(node, Mapping) else None
    return node


def short_name(name: str) -> str:
    """A setting as people call it in a table.

    >>> short_name("model.encoder.dim"), short_name("trainer.max_epochs")
    ('encoder.dim', 'max_epochs')
    """
    return name.partition(".")[2] or name


def in_words(params: Mapping[str, Any]) -> str:
    """Settings in a line.

    >>> in_words({"model.l2": 21.37264, "model.weighting": "log"})
    'l2=21.37 weighting=log'
    """
    return " ".join(f"{short_name(name)}={written(value)}" for name, value in params.items())


def written(value: Any) -> str:
    """A value in a table: four digits.

    >>> written(21.37264), written(10000.0), written("log")
    ('21.37', '10000', 'log')
    """
    if not isinstance(value, float):
        return str(value)
    return f"{value:.0f}" if 1e4 <= abs(value) < 1e7 else f"{value:.4g}"
