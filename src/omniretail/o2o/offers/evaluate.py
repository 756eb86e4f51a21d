"""Rows, split, fit, answer, judge: one response model at one stage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd

from omniretail.core.resources import metered
from omniretail.models.responses.protocol import ResponseModel
from omniretail.o2o.offers.figures import OfferResult, figures_of
from omniretail.o2o.offers.split import OfferFold, OfferSplit, Running
from omniretail.schema import Tables
from omniretail.splits.cutoff import Stage
from omniretail.views.offers.cached import load_offer_rows
from omniretail.views.offers.dictionary import Group
from omniretail.views.offers.rows import OfferRows


@dataclass(frozen=True)
class Offers:
    """How every response model of a comparison is examined.

    Args:
        groups: of features that models see: ``customer``, ``past_offers``, ``offer``, ``match``, ``words``.
        levels: columns of the item table by which an offer's items are matched, coarse to fine.
        val_from: see ``OfferSplit``.
        test_from: see ``OfferSplit``.
        running: see ``OfferSplit``.
        until: when the log ends, UTC (ISO 8601); None: at its last event.
    """

    groups: Sequence[str] = ("customer", "past_offers", "offer", "match")
    levels: Sequence[str] = ("department", "category")
    val_from: str | None = None
    test_from: str | None = None
    running: Running = "leave_out"
    until: str | None = None

    def __post_init__(self) -> None:
        unknown = [group for group in self.groups if group not in get_args(Group)]
        if unknown or not self.groups:
            raise ValueError(f"offers.groups={list(self.groups)}: choose one or more of {', '.join(get_args(Group))}")

    def take(self, model: ResponseModel, tables: Tables, stage: Stage, cache: Path) -> OfferResult:
        """Fit the model on offers that are over, and judge it on later ones.

        Raises:
            DataError: where the data does not allow it.
            ValueError: where settings do not fit, or answers are no probabilities.
        """
        fold = self.fold(tables, stage, cache)
        seen = fold.learned.columns(self.groups)
        with metered() as fitting:
            model.fit(fold.learned.rows.reindex(columns=seen), fold.y)
        with metered() as scoring:
            score = model.predict_proba(fold.judged.rows.reindex(columns=seen))
        name = getattr(model, "label", type(model).__name__)
        if not (np.isfinite(score).all() and (score >= 0).all() and (score <= 1).all()):
            raise ValueError(f"{name} gave answers that are no probabilities")
        judged = fold.judged
        answers = pd.DataFrame(
            {"user_id": judged.user_id, "offer_id": judged.offer_id, "truth": judged.y, "score": score}
        )
        return OfferResult(
            model=name,
            stage=stage,
            figures=figures_of(answers),
            answers=answers,
            counts=_counts(fold),
            left_out=judged.left_out | fold.left_out,
            fit_s=fitting.seconds,
            score_s=scoring.seconds,
            peak_memory_mb=max(fitting.peak_memory_mb, scoring.peak_memory_mb),
        )

    def fold(self, tables: Tables, stage: Stage, cache: Path) -> OfferFold:
        """The rows of one stage.

        Raises:
            DataError: where the source has no offers, or none to learn from or to judge.
        """
        return self.split().cut(self.rows(tables, cache), stage)

    def rows(self, tables: Tables, cache: Path) -> OfferRows:
        """The rows of all stages.

        Raises:
            DataError: where the source has no offers.
        """
        until = None if self.until is None else datetime.fromisoformat(self.until)
        return load_offer_rows(tables, self.levels, "words" in self.groups, until, cache)

    def split(self) -> OfferSplit:
        """Where the lines are drawn."""
        return OfferSplit(self.val_from, self.test_from, self.running)


def _counts(fold: OfferFold) -> dict[str, int]:
    learned, judged = fold.learned, fold.judged
    return {
        "learned": len(learned),
        "learned_redeemed": int(fold.y.sum()),
        "learned_offers": len(np.unique(learned.offer_id)),
        "judged": len(judged),
        "judged_redeemed": int(judged.y.sum()),
        "judged_offers": len(np.unique(judged.offer_id)),
    }
