"""Signals: what the events of a log mean. A dataset says it once, and every view obeys."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis
import numpy as np
from ibis import _

from omniretail.core.errors import DataError, SettingsError
from omniretail.core.overrides import override

SIGNALS = ("purchase", "cart", "view", "rating", "refund")
"""A purchase is money, a basket, a customer's return; a refund takes a purchase back and is no feedback."""
EVENT_TYPES = {signal: signal for signal in SIGNALS} | {
    "add_to_cart": "cart",
    "addtocart": "cart",
    "buy": "purchase",
    "checkin": "view",
    "click": "view",
    "join": "purchase",
    "order": "purchase",
    "receive": "view",
    "remove_from_cart": "refund",
    "return": "refund",
    "review": "rating",
    "transaction": "purchase",
}
"""Signals of event types that are named in the usual ways, in upper or lower case, with blanks or hyphens."""
_GUESSES = {
    "refund": ("refund", "return", "cancel", "remove", "退", "取消"),
    "cart": ("cart", "basket", "fav", "wish", "collect", "checkout", "加购", "收藏", "购物车"),
    "purchase": ("buy", "bought", "pay", "purchas", "order", "sale", "trans", "购买", "下单", "支付", "成交"),
    "rating": ("rating", "rated", "review", "star", "评"),
}
_AMOUNTS = ("quantity", "value", "discount", "coupon")


@dataclass(frozen=True)
class Signals:
    """What event types mean, what recommenders learn from, and what they are judged by.

    Attributes:
        of: event type -> signal, besides ``EVENT_TYPES``.
        feedback: signal -> weight in what recommenders learn from; 0 or left out: not learned from.
        judged: signals that are held out and judged; empty: purchases where the log has them, else all feedback.
        min_rating: ratings below are no positive feedback; None: every rating is.
        weigh_ratings: multiply the weight of a rating by the rating.
        event_types: that the log has, those included that are not learned from; empty: read from the events.
    """

    of: Mapping[str, str] = field(default_factory=dict)
    feedback: Mapping[str, float] = field(default_factory=lambda: dict.fromkeys(SIGNALS[:-1], 1.0))
    judged: Sequence[str] = ()
    min_rating: float | None = None
    weigh_ratings: bool = False
    event_types: Sequence[str] = ()

    def __post_init__(self) -> None:
        for setting, signals in (("of", self.of.values()), ("feedback", self.feedback), ("judged", self.judged)):
            for signal in signals:
                if signal not in SIGNALS:
                    raise SettingsError(f"signals: {setting}: {signal!r} is none of {', '.join(SIGNALS)}")
        for signal, weight in self.feedback.items():
            if weight < 0 or (signal == "refund" and weight):
                raise SettingsError(
                    f"signals: feedback.{signal}={weight} must be {'0' if weight > 0 else 'at least 0'}"
                )
        for signal in self.judged:
            if not self.feedback.get(signal):
                raise SettingsError(f"signals: judged names {signal}, which feedback.{signal} must weigh above 0")

    def signal(self, event_type: str) -> str:
        """The signal of an event type; a type that nobody mapped counts as a view."""
        return self.of.get(event_type) or EVENT_TYPES.get(_plain(event_type), "view")

    def of_log(self, events: ibis.Table) -> "Signals":
        """With the event types that canonical events have, where they are not named."""
        return self if self.event_types else replace(self, event_types=self._names(events))

    def guessed(self, events: ibis.Table) -> "Signals":
        """With a signal for each event type that has none, by its name."""
        unmapped = {each: guessed_signal(each) for each in self._names(events) if not self._has(each)}
        return replace(self, of={**self.of, **unmapped})

    def check(self, event_types: Sequence[str]) -> None:
        """Check that each event type of a log has a signal.

        Raises:
            DataError: naming those that have none, and the setting that maps them.
        """
        unmapped = [each for each in event_types if not self._has(each)]
        if unmapped:
            example = override("source.signals", {each: guessed_signal(each) for each in unmapped})
            raise DataError(
                f"what do the event types {', '.join(map(repr, unmapped))} mean? The log has "
                f"{', '.join(map(repr, event_types))}: map each to one of {', '.join(SIGNALS)}, "
                f"such as {example}"
            )

    def purchases(self, events: ibis.Table) -> ibis.Table:
        """The purchases among canonical events."""
        names = self._names(events)
        bought = [each for each in names if self.signal(each) == "purchase"]
        return events if bought == names else events.filter(_.event_type.isin(bought))

    def feedback_events(self, events: ibis.Table) -> ibis.Table:
        """The events that recommenders learn from and are judged by: positive feedback.

        A log of purchases comes back as it is. Otherwise amounts that nobody paid are null, and there are columns
        ``weight`` (float), ``purchase`` and ``judged`` (bool). Where a log has no purchases at all, ``purchase`` is
        true throughout: activity stands for visits, without amounts.
        """
        names = self._names(events)
        signals = {each: self.signal(each) for each in names}
        weights = {each: self.feedback.get(signal, 0.0) for each, signal in signals.items()}
        bought = [each for each in names if signals[each] == "purchase"]
        if bought == names and set(weights.values()) <= {1.0}:
            return events
        kind: Any = events.event_type
        positive = events.filter(kind.isin([each for each in names if weights[each] > 0]))
        rated = kind.isin([each for each in names if signals[each] == "rating"])
        weight = kind.cases(*((each, weight) for each, weight in weights.items()), else_=0.0)
        if "rating" in events.columns:
            rating: Any = events.rating
            positive = positive if self.min_rating is None else positive.filter(~rated | (rating >= self.min_rating))
            weight = rated.ifelse(weight * rating.fill_null(1.0), weight) if self.weigh_ratings else weight
        event_type: Any = positive.event_type
        paid: Any = event_type.isin(bought) if bought else ibis.literal(False)
        judged = self.judged or (["purchase"] if bought else list(SIGNALS))
        nothing = ibis.null("float64")
        return positive.mutate(
            weight=weight.cast("float64"),
            purchase=paid if bought else ibis.literal(True),
            judged=kind.isin([each for each in names if signals[each] in judged]),
            **{name: paid.ifelse(positive[name], nothing) for name in _AMOUNTS if name in positive.columns},
        )

    def of_codes(self, codes: np.ndarray, event_types: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What ``feedback_events`` says of events, by the index of their event type.

        Args:
            codes: indices into ``event_types``; -1, unknown, stands for a purchase where the log has nothing else.
            event_types: vocabulary of the codes; the log itself may have more, see ``event_types``.

        Returns:
            Weights as feedback, float32; whether each is a purchase, bool; whether its amounts are paid, bool; each of
            shape (E,).
        """
        of_log = {self.signal(each) for each in self.event_types or event_types if each}  # "": of a log without types
        without, alone = "purchase" not in of_log, of_log <= {"purchase"}
        signals = [self.signal(each) for each in event_types]
        paid = np.array([alone or each == "purchase" for each in signals] + [alone])
        weight = np.array([self.feedback.get(each, 0.0) for each in signals] + [1.0], dtype=np.float32)
        return weight[codes], (paid | without)[codes], paid[codes]

    def _has(self, event_type: str) -> bool:
        return event_type in self.of or _plain(event_type) in EVENT_TYPES

    def _names(self, events: ibis.Table) -> list[str]:
        if self.event_types:
            return list(self.event_types)
        return sorted(events.select("event_type").distinct().to_pandas().event_type)


def _plain(event_type: str) -> str:
    """A word of the log as ``EVENT_TYPES`` writes it.

    >>> _plain("Add to Cart")
    'add_to_cart'
    """
    return re.sub(r"[\s-]+", "_", event_type.strip().lower())


def guessed_signal(event_type: str) -> str:
    """The signal that a word of the shop's own most likely stands for."""
    return next(
        (signal for signal, parts in _GUESSES.items() if any(each in event_type.lower() for each in parts)), "view"
    )
