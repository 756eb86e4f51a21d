"""Rules of tags: read from a yaml, checked, as dataclasses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isnan
from numbers import Real
from typing import Any

from omniretail.core.errors import SettingsError

_TEXTS = ("label", "definition", "window")
_BOUNDS = ("above", "below")


@dataclass(frozen=True)
class Bound:
    """A number, or a quantile of the training customers, whose value is learned.

    Attributes:
        value: in the feature's unit, or in 0..1 for a quantile.
        is_quantile: whether it is a quantile.
    """

    value: float
    is_quantile: bool = False

    def __str__(self) -> str:
        return f"quantile {self.value:g}" if self.is_quantile else f"{self.value:g}"


@dataclass(frozen=True)
class Condition:
    """Bounds on a feature; both are strict, and a missing value fulfils neither."""

    feature: str
    above: Bound | None = None
    below: Bound | None = None

    @property
    def bounds(self) -> list[Bound]:
        """Those that are set."""
        return [bound for bound in (self.above, self.below) if bound is not None]


@dataclass(frozen=True)
class Tag:
    """A name for the customers who fulfil all conditions.

    Attributes:
        name: in commands, such as ``bargain_hunter``.
        label: for people.
        definition: a sentence for people.
        conditions: all must hold.
        window: the period that the tag is about, for people; empty where it is that of its features.
    """

    name: str
    label: str
    definition: str
    conditions: tuple[Condition, ...]
    window: str = ""

    @property
    def features(self) -> list[str]:
        """Columns of the profile table in its conditions, each once."""
        return list(dict.fromkeys(condition.feature for condition in self.conditions))


def tags_from(settings: Mapping[str, Mapping[str, Any]]) -> list[Tag]:
    """Tags as written in configs/tags.

    Args:
        settings: per tag ``label``, ``definition``, perhaps ``window``, and a condition (``feature`` with ``above``,
            ``below`` or both, each a number or ``{quantile: q}``) or several in a list under ``all``.

    Raises:
        SettingsError: naming the tag, where a key is unknown or missing, a quantile lies outside 0..1, or two bounds
            contradict each other.

    >>> rule = {"label": "New", "definition": "Eight weeks.", "feature": "tenure_days", "below": 56}
    >>> tags_from({"new": rule})[0].features
    ['tenure_days']
    """
    return [_tag(name, rule) for name, rule in settings.items()]


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of an error message: similar names that exist; empty where there is none."""
    near = get_close_matches(name, [str(each) for each in names], n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


def _tag(name: str, rule: Mapping[str, Any]) -> Tag:
    missing = [text for text in ("label", "definition") if not rule.get(text)]
    if missing:
        raise SettingsError(f"tag {name}: it has no {' and no '.join(missing)}")
    if ("all" in rule) == ("feature" in rule):
        raise SettingsError(f"tag {name}: it needs either a feature with above or below, or a list of these under all")
    _only(name, rule, (*_TEXTS, "all") if "all" in rule else (*_TEXTS, "feature", *_BOUNDS))
    entries = rule["all"] if "all" in rule else [{k: v for k, v in rule.items() if k not in _TEXTS}]
    if not entries:
        raise SettingsError(f"tag {name}: the list under all is empty")
    conditions = tuple(_condition(name, each) for each in entries)
    _no_contradiction(name, conditions)
    return Tag(name, str(rule["label"]), str(rule["definition"]), conditions, str(rule.get("window") or ""))


def _condition(name: str, entry: Mapping[str, Any]) -> Condition:
    _only(name, entry, ("feature", *_BOUNDS))
    if "feature" not in entry:
        raise SettingsError(f"tag {name}: a condition names no feature")
    bounds = {side: _bound(name, side, entry[side]) for side in _BOUNDS if entry.get(side) is not None}
    if not bounds:
        raise SettingsError(f"tag {name}: {entry['feature']} has neither above nor below")
    return Condition(str(entry["feature"]), **bounds)


def _bound(name: str, side: str, entry: Any) -> Bound:
    is_quantile = isinstance(entry, Mapping)
    if is_quantile:
        _only(name, entry, ("quantile",))
    value = entry.get("quantile") if is_quantile else entry
    if not isinstance(value, Real) or isinstance(value, bool) or isnan(value):
        raise SettingsError(f"tag {name}: {side} takes a number or {{quantile: q}}, not {entry!r}")
    if is_quantile and not 0 <= float(value) <= 1:
        raise SettingsError(f"tag {name}: the quantile {float(value):g} does not lie in 0..1")
    return Bound(float(value), is_quantile)


def _no_contradiction(name: str, conditions: Iterable[Condition]) -> None:
    """Bounds of one kind on one feature must leave values between them, also across conditions."""
    bounds: dict[tuple[str, bool], tuple[list[float], list[float]]] = {}
    for condition in conditions:
        for side, bound in enumerate((condition.above, condition.below)):
            if bound is not None:
                bounds.setdefault((condition.feature, bound.is_quantile), ([], []))[side].append(bound.value)
    for (feature, is_quantile), (above, below) in bounds.items():
        if above and below and max(above) >= min(below):
            low, high = Bound(max(above), is_quantile), Bound(min(below), is_quantile)
            raise SettingsError(f"tag {name}: {feature} cannot be above {low} and below {high} at once")


def _only(name: str, entry: Mapping[str, Any], keys: Iterable[str]) -> None:
    for key in entry:
        if key not in keys:
            raise SettingsError(f"tag {name}: unknown key {key!r}{nearest(str(key), keys)}")
