"""Rules of tags: what a yaml says, checked and as dataclasses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from math import isnan
from numbers import Real
from typing import Any

_WORDS = ("label", "definition", "window")
_BOUNDS = ("above", "below")


@dataclass(frozen=True)
class Bound:
    """A number, or the quantile of the training customers that it will be learned from.

    Attributes:
        value: in the feature's unit, or in 0..1 for a quantile.
        is_quantile: which of the two it is.
    """

    value: float
    is_quantile: bool = False

    def __str__(self) -> str:
        return f"quantile {self.value:g}" if self.is_quantile else f"{self.value:g}"


@dataclass(frozen=True)
class Condition:
    """What a feature must be; both bounds are strict, and a value that is not known fulfils neither."""

    feature: str
    above: Bound | None = None
    below: Bound | None = None

    @property
    def bounds(self) -> list[Bound]:
        """Those that are given."""
        return [bound for bound in (self.above, self.below) if bound is not None]


@dataclass(frozen=True)
class Tag:
    """A name for the customers who fulfil all conditions.

    Attributes:
        name: the word for it in a command, such as ``bargain_hunter``.
        label: for people.
        definition: a sentence for people.
        conditions: all must hold.
        window: the time that the tag looks at, for people; empty where it is that of its features.
    """

    name: str
    label: str
    definition: str
    conditions: tuple[Condition, ...]
    window: str = ""

    @property
    def features(self) -> list[str]:
        """Columns of the profile table that the tag looks at, each once."""
        return list(dict.fromkeys(condition.feature for condition in self.conditions))


def tags_from(settings: Mapping[str, Mapping[str, Any]]) -> list[Tag]:
    """Tags as written in configs/tags.

    Args:
        settings: per tag ``label``, ``definition``, perhaps ``window``, and a condition (``feature`` with ``above``,
            ``below`` or both, each a number or ``{quantile: q}``) or several in a list under ``all``.

    Raises:
        ValueError: naming the tag, where a word is unknown or missing, a quantile lies outside 0..1, or two bounds
            leave no value between them.

    >>> rule = {"label": "New", "definition": "Eight weeks.", "feature": "tenure_days", "below": 56}
    >>> tags_from({"new": rule})[0].features
    ['tenure_days']
    """
    return [_tag(name, rule) for name, rule in settings.items()]


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error message: the words that may have been meant; empty where none is near."""
    near = get_close_matches(word, [str(each) for each in known], n=3, cutoff=0.5)
    return f"; did you mean {', '.join(near)}?" if near else ""


def _tag(name: str, rule: Mapping[str, Any]) -> Tag:
    missing = [word for word in ("label", "definition") if not rule.get(word)]
    if missing:
        raise ValueError(f"tag {name}: it has no {' and no '.join(missing)}")
    if ("all" in rule) == ("feature" in rule):
        raise ValueError(f"tag {name}: it needs either a feature with above or below, or a list of these under all")
    _only(name, rule, (*_WORDS, "all") if "all" in rule else (*_WORDS, "feature", *_BOUNDS))
    given = rule["all"] if "all" in rule else [{k: v for k, v in rule.items() if k not in _WORDS}]
    if not given:
        raise ValueError(f"tag {name}: the list under all is empty")
    conditions = tuple(_condition(name, each) for each in given)
    _no_contradiction(name, conditions)
    return Tag(name, str(rule["label"]), str(rule["definition"]), conditions, str(rule.get("window") or ""))


def _condition(name: str, given: Mapping[str, Any]) -> Condition:
    _only(name, given, ("feature", *_BOUNDS))
    if "feature" not in given:
        raise ValueError(f"tag {name}: a condition names no feature")
    bounds = {word: _bound(name, word, given[word]) for word in _BOUNDS if given.get(word) is not None}
    if not bounds:
        raise ValueError(f"tag {name}: {given['feature']} has neither above nor below")
    return Condition(str(given["feature"]), **bounds)


def _bound(name: str, word: str, given: Any) -> Bound:
    is_quantile = isinstance(given, Mapping)
    if is_quantile:
        _only(name, given, ("quantile",))
    value = given.get("quantile") if is_quantile else given
    if not isinstance(value, Real) or isinstance(value, bool) or isnan(value):
        raise ValueError(f"tag {name}: {word} takes a number or {{quantile: q}}, not {given!r}")
    if is_quantile and not 0 <= float(value) <= 1:
        raise ValueError(f"tag {name}: the quantile {float(value):g} does not lie in 0..1")
    return Bound(float(value), is_quantile)


def _no_contradiction(name: str, conditions: Iterable[Condition]) -> None:
    """Bounds of one kind on one feature must leave something between them, whichever conditions they stand in."""
    bounds: dict[tuple[str, bool], tuple[list[float], list[float]]] = {}
    for condition in conditions:
        for side, bound in enumerate((condition.above, condition.below)):
            if bound is not None:
                bounds.setdefault((condition.feature, bound.is_quantile), ([], []))[side].append(bound.value)
    for (feature, is_quantile), (above, below) in bounds.items():
        if above and below and max(above) >= min(below):
            low, high = Bound(max(above), is_quantile), Bound(min(below), is_quantile)
            raise ValueError(f"tag {name}: {feature} cannot be above {low} and below {high} at once")


def _only(name: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    for word in given:
        if word not in known:
            raise ValueError(f"tag {name}: unknown word {word!r}{nearest(str(word), known)}")
