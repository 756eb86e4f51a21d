"""Baskets as events for networks: codes of their items and circumstances, and numbers; no loop over rows."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from omniretail.views.histories import Histories
from omniretail.views.train import Train

NUMBERS = ("lines", "value", "price", "price_over_mean", "quantity", "discount", "coupon", "gap")
"""Numbers of a basket; each has an indicator of whether it is missing."""
CIRCUMSTANCES = ("store", "hour", "weekday")
"""Codes of a basket; 0: unknown."""
_HOURS, _WEEKDAYS, _DAY_S = 24, 7, 24 * 3600
_CLIP = 5.0


@dataclass(frozen=True)
class BasketEvents:
    """The baskets of U customers, N in all, each customer's oldest first.

    Attributes:
        offsets: customer u owns the baskets ``offsets[u]:offsets[u + 1]``; shape (U + 1,).
        line_offsets: basket n owns the lines ``line_offsets[n]:line_offsets[n + 1]``; shape (N + 1,).
        line_codes: codes of the item and its attributes of each line, 0 where there is none; int64, shape (E, K).
        numbers: ``NUMBERS`` standardised, 0 where missing, then whether each is missing; float32, shape (N, 2F).
        circumstances: codes of ``CIRCUMSTANCES``; int64, shape (N, 3).
    """

    offsets: np.ndarray
    line_offsets: np.ndarray
    line_codes: np.ndarray
    numbers: np.ndarray
    circumstances: np.ndarray


@dataclass(frozen=True)
class EventCoding:
    """The coding of baskets, learned from a training set; every field is an array and can be saved.

    Attributes:
        item_codes: codes of each item and its attributes, frequent ones low, 0: rare or unknown; shape (I, K).
        mean_price: mean logarithm of the price within the item's finest attribute value, NaN where unknown; shape (I,).
        means: of ``NUMBERS``; shape (F,).
        scales: their standard deviations; shape (F,).
        n_stores: number of stores; shape ().
        zone: IANA name of the customers' time zone, as ASCII; empty where the data has an order but no times.
    """

    item_codes: np.ndarray
    mean_price: np.ndarray
    means: np.ndarray
    scales: np.ndarray
    n_stores: np.ndarray
    zone: np.ndarray

    @classmethod
    def of(cls, train: Train, item_columns: Sequence[str], max_items: int) -> "EventCoding":
        """Learn from the training events.

        Args:
            train: with the item table.
            item_columns: columns of the item table to encode, coarse to fine; those that it lacks are ignored.
            max_items: number of items with a code of their own, the most frequent.
        """
        histories = train.histories
        codes = _item_codes(train, [name for name in item_columns if name in train.item_table], max_items)
        coding = cls(
            item_codes=codes,
            mean_price=_mean_price(histories, codes[:, -1]),
            means=np.zeros(len(NUMBERS)),
            scales=np.ones(len(NUMBERS)),
            n_stores=np.array(len(train.stores)),
            zone=np.frombuffer(train.zone.encode(), dtype=np.uint8).copy(),
        )
        means, scales = _mean_and_scale(coding.raw_numbers(histories, *_baskets(histories)))
        return cls(**(coding.arrays() | {"means": means, "scales": scales}))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "EventCoding":
        """The inverse of ``arrays``."""
        return cls(**arrays)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every field by name."""
        return asdict(self)

    @property
    def n_codes(self) -> int:
        """Number of codes of items and attributes, with 0."""
        return int(self.item_codes.max(initial=0)) + 1

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Number of codes of each of ``CIRCUMSTANCES``, with 0."""
        return int(self.n_stores) + 1, _HOURS + 1, _WEEKDAYS + 1

    def baskets(self, histories: Histories) -> BasketEvents:
        """The customers' baskets as codes and numbers."""
        number, starts = _baskets(histories)
        raw = self.raw_numbers(histories, number, starts)
        missing = ~np.isfinite(raw)
        scaled = np.where(missing, 0.0, np.clip((raw - self.means) / self.scales, -_CLIP, _CLIP))
        return BasketEvents(
            offsets=np.searchsorted(starts, histories.offsets),
            line_offsets=np.append(starts, len(number)),
            line_codes=self.item_codes[histories.item_idx],
            numbers=np.concatenate([scaled, missing], axis=1).astype(np.float32),
            circumstances=self._circumstances(histories, starts),
        )

    def raw_numbers(self, histories: Histories, number: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """``NUMBERS`` as they are, NaN where missing; shape (N, F).

        Args:
            histories: of the customers.
            number: the basket of each event; shape (E,).
            starts: the first event of each basket; shape (N,).
        """
        price = _log_price(histories)
        whole = histories.value + np.nan_to_num(histories.discount)
        whole = np.where(whole > 0, whole, np.nan)
        lines = np.bincount(number, minlength=len(starts))
        mean = {
            "price": price,
            "price_over_mean": price - self.mean_price[histories.item_idx],
            "quantity": np.log1p(np.maximum(histories.quantity, 0)),
            "discount": np.clip(histories.discount / whole, 0, 1),
            "coupon": np.clip(histories.coupon / whole, 0, 1),
        }
        columns = {name: _mean(values, number, len(starts)) for name, values in mean.items()}
        columns["lines"] = np.log1p(lines)
        columns["value"] = np.log1p(np.maximum(lines * _mean(histories.value, number, len(starts)), 0))
        columns["gap"] = self._gap(histories, starts)
        return np.stack([columns[name] for name in NUMBERS], axis=1)

    def _gap(self, histories: Histories, starts: np.ndarray) -> np.ndarray:
        """Logarithm of the days since the customer's previous basket, NaN at the first; shape (N,)."""
        days = np.diff(histories.timestamp[starts], prepend=0) / _DAY_S
        first = np.isin(starts, histories.offsets[:-1])
        return np.where(first | (not self.zone.size), np.nan, np.log1p(np.maximum(days, 0)))

    def _circumstances(self, histories: Histories, starts: np.ndarray) -> np.ndarray:
        codes = np.zeros((len(starts), len(CIRCUMSTANCES)), dtype=np.int64)
        codes[:, 0] = 1 + histories.store[starts]
        if self.zone.size:
            clock = pd.to_datetime(histories.timestamp[starts], unit="s", utc=True).tz_convert(
                self.zone.tobytes().decode()
            )
            codes[:, 1], codes[:, 2] = 1 + clock.hour, 1 + clock.day_of_week
        return codes


def _baskets(histories: Histories) -> tuple[np.ndarray, np.ndarray]:
    """The basket of each event, numbered across customers, (E,), and each basket's first event, (N,)."""
    rows = histories.rows
    begins = np.ones(len(rows), dtype=bool)
    begins[1:] = (rows[1:] != rows[:-1]) | (histories.basket[1:] != histories.basket[:-1])
    return np.cumsum(begins) - 1, np.flatnonzero(begins)


def _item_codes(train: Train, columns: Sequence[str], max_items: int) -> np.ndarray:
    """Codes of items and attributes together, by decreasing number of events, from 1; int64, shape (I, K)."""
    n_events = np.bincount(train.histories.item_idx, minlength=len(train.items))
    frequent = np.full(len(n_events), -1)
    most_frequent = np.argsort(-n_events, kind="stable")[:max_items]
    frequent[most_frequent] = np.arange(len(most_frequent))
    codes, size = [frequent], len(most_frequent)
    for name in columns:
        code, values = pd.factorize(train.item_table[name].astype("string"), sort=True)
        codes.append(np.where(code >= 0, code + size, -1))
        size += len(values)
    table = np.stack(codes, axis=1)  # (I, K)
    weights = np.broadcast_to(n_events[:, None], table.shape)[table >= 0]
    count = np.bincount(table[table >= 0], weights=weights, minlength=size)
    rank = np.empty(size + 1, dtype=np.int64)
    rank[np.argsort(-count, kind="stable")] = np.arange(1, size + 1)
    rank[-1] = 0  # the entry of -1
    return rank[table]


def _mean_price(histories: Histories, kind: np.ndarray) -> np.ndarray:
    price, by_kind = _log_price(histories), kind[histories.item_idx]
    return _mean(price, by_kind, int(kind.max(initial=0)) + 1)[kind]


def _log_price(histories: Histories) -> np.ndarray:
    """Logarithm of the price of one piece, NaN where unknown; shape (E,)."""
    pieces = np.where(histories.quantity > 0, histories.quantity, 1.0)
    return np.log1p(np.maximum(histories.value, 0) / pieces)


def _mean(values: np.ndarray, group: np.ndarray, n_groups: int) -> np.ndarray:
    """Mean of the finite values of each group, NaN where there is none; shape (G,)."""
    finite = np.isfinite(values)
    total = np.bincount(group[finite], weights=values[finite], minlength=n_groups)
    count = np.bincount(group[finite], minlength=n_groups)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _mean_and_scale(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each column's finite values; 0 without values, 1 without variance; both (F,)."""
    finite = np.isfinite(numbers)
    count = np.maximum(finite.sum(0), 1)
    means = np.where(finite, numbers, 0.0).sum(0) / count
    spread = np.sqrt(np.where(finite, (numbers - means) ** 2, 0.0).sum(0) / count)
    return means, np.where(spread > 1e-6, spread, 1.0)
