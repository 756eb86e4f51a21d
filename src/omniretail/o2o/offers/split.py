"""Which offers are learned from and which are judged: by their start, using only what is known at the cutoff."""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from omniretail.core.errors import DataError, SettingsError
from omniretail.core.times import parse_utc
from omniretail.splits.cutoff import Stage, require_stage
from omniretail.views.offers.rows import OfferRows

Running = Literal["leave_out", "as_of_cutoff", "as_redeemed_later"]


@dataclass(frozen=True)
class OfferFold:
    """Mailings to learn from and mailings to judge by.

    Attributes:
        learned: mailings before the cutoff.
        y: their outcomes; shape (N,).
        judged: mailings of later offers, with outcomes in ``judged.y``.
        left_out: mailings in neither, counted by reason.
    """

    learned: OfferRows
    y: np.ndarray
    judged: OfferRows
    left_out: dict[str, int]


@dataclass(frozen=True)
class OfferSplit:
    """Offers that start in ``[val_from, test_from)`` are validation, those from ``test_from`` on test.

    Only mailings whose outcome is known are judged: for validation by the start of test, for test by the end of the
    log. A model learns from offers that ended before its cutoff.

    Args:
        val_from: UTC, ISO 8601.
        test_from: UTC, ISO 8601.
        running: offers that started but did not end before the cutoff: ``leave_out``; ``as_of_cutoff``: redeemed or
            not as of then; ``as_redeemed_later``: with their final outcome, which no model can have in production;
            it only measures what that would be worth.

    Raises:
        SettingsError: where one of the times is none, the two are in the wrong order, or ``running`` is none of these.
    """

    val_from: str | None = None
    test_from: str | None = None
    running: Running = "leave_out"

    def __post_init__(self) -> None:
        if self.val_from is None or self.test_from is None:
            raise SettingsError(
                "say from when on offers are judged, such as offers.val_from=2024-03-01 offers.test_from=2024-05-01"
            )
        if _time(self.val_from) >= _time(self.test_from):
            raise SettingsError(f"offers.val_from={self.val_from} must lie before offers.test_from={self.test_from}")
        if self.running not in get_args(Running):
            raise SettingsError(f"task.running={self.running!r} is not one of {', '.join(get_args(Running))}")

    def cut(self, rows: OfferRows, stage: Stage) -> OfferFold:
        """Divide the mailings.

        Raises:
            DataError: where nothing is left to learn from or to judge.
        """
        require_stage(stage)
        val_from, test_from = _time(str(self.val_from)), _time(str(self.test_from))
        at = val_from if stage == "val" else test_from
        end = min(test_from, rows.until) if stage == "val" else rows.until
        later = rows.starts_at >= at
        if stage == "val":
            later &= rows.starts_at < test_from
        judged = later & ~np.isnan(rows.outcome(end))
        learned, y = self._learned(rows, at)
        running = (rows.starts_at < at) & np.isnan(rows.outcome(at))
        left_out = {
            "to judge, but not over when the window ends": int((later & ~judged).sum()),
            "running at the cutoff": int((running & ~learned).sum()),
        }
        for part, what in ((learned, f"over by {at}"), (judged, f"from {at} on that are over by {end}")):
            if not part.any():
                raise DataError(f"offers: no mailings of offers {what}; move offers.val_from or offers.test_from")
        return OfferFold(rows.take(learned), y[learned], rows.take(judged), {k: n for k, n in left_out.items() if n})

    def _learned(self, rows: OfferRows, at: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
        """Which rows are learned from, and their outcomes; both (N,)."""
        outcome = rows.outcome(at)
        if self.running == "leave_out":
            return ~np.isnan(outcome), outcome
        mailed = (rows.starts_at < at) & (rows.sent_at < at)
        if self.running == "as_of_cutoff":  # NaT compares as False
            return mailed, (rows.redeemed_at < at).astype(np.float64)
        return mailed & ~np.isnan(rows.y), rows.y

    def __str__(self) -> str:
        return f"offers by start: validation from {self.val_from}, test from {self.test_from}"


def _time(text: str) -> np.datetime64:
    return np.datetime64(parse_utc(text), "us")
