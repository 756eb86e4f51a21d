"""Which offers are learned from and which are judged: by their start, with nothing known that lies ahead."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from omniretail.schema import DataError
from omniretail.splits.cutoff import Stage
from omniretail.views.offers.rows import OfferRows

Running = Literal["leave_out", "as_known", "hindsight"]


@dataclass(frozen=True)
class OfferFold:
    """Rows to learn from and rows to be judged on.

    Attributes:
        learned: mailings known at the cutoff.
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

    Only mailings whose outcome is known can be judged: for validation by the start of test, for test by the end of the
    log. A model learns from offers that had ended by its cutoff.

    Args:
        val_from: UTC, ISO 8601.
        test_from: UTC, ISO 8601.
        running: offers that had started but not ended by the cutoff: ``leave_out``; ``as_known``: redeemed or not as it
            stood then; ``hindsight``: as it turned out, which nobody could know: only to measure what that is worth.

    Raises:
        ValueError: where a moment is missing, they stand in the wrong order, or ``running`` is another word.
    """

    val_from: str | None = None
    test_from: str | None = None
    running: Running = "leave_out"

    def __post_init__(self) -> None:
        if self.val_from is None or self.test_from is None:
            raise ValueError("set offers.val_from and offers.test_from: the moments from which offers are judged")
        if np.datetime64(self.val_from) >= np.datetime64(self.test_from):
            raise ValueError(f"offers.val_from={self.val_from} must lie before offers.test_from={self.test_from}")
        if self.running not in ("leave_out", "as_known", "hindsight"):
            raise ValueError(f"offers.running={self.running!r} is not one of leave_out, as_known, hindsight")

    def cut(self, rows: OfferRows, stage: Stage) -> OfferFold:
        """Draw the line.

        Raises:
            DataError: where nothing is left to learn from or to judge.
        """
        at = np.datetime64(self.val_from if stage == "val" else self.test_from, "us")
        end = min(np.datetime64(self.test_from, "us"), rows.until) if stage == "val" else rows.until
        later = rows.starts_at >= at
        if stage == "val":
            later &= rows.starts_at < np.datetime64(self.test_from, "us")
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
        """Which rows are learned from, and outcomes; both (N,)."""
        known = rows.outcome(at)
        if self.running == "leave_out":
            return ~np.isnan(known), known
        mailed = (rows.starts_at < at) & (rows.sent_at < at)
        if self.running == "as_known":  # NaT compares as False
            return mailed, (rows.redeemed_at < at).astype(np.float64)
        return mailed & ~np.isnan(rows.y), rows.y

    def __str__(self) -> str:
        return f"offers by start: validation from {self.val_from}, test from {self.test_from}"
