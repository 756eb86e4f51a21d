"""Probabilities in words: figures as people read them, the legend, the verdict of each question."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

SUMMARY_HEADINGS = (
    *("question", "classes", "did", "promised before", "after", "AUC", "Brier before", "after"),
    *("log loss before", "after", "ECE before", "after", "by luck"),
)
CLASS_HEADINGS = ("class", "did", "AUC", "Brier before", "after", "ECE before", "after", "by luck", "calibrated by")
SPENDING_HEADINGS = ("forecast", "MAE", "RMSE", "Spearman", "total predicted", "total paid")
_FORECASTS = {"before": "before calibration", "after": "after calibration", "own rate": "own rate"}
LEGEND = (
    "Did: the share of customers that did; promised: the mean probability. "
    "Brier: mean squared distance between the probability and what happened; log loss: minus the logarithm of the "
    "probability of what happened. Less is better.",
    "ECE: how far the probability lies from the share that did, on average over ten bins of equally many. By luck: "
    "what it would be were every probability exactly right. A question's figures are means over its classes.",
    "Methods (Platt's line through the log odds, an isotonic step function, or none where neither helps) were chosen "
    "per class by log loss on customers they were not fitted on, all of it in the calibration window.",
)


def question(name: str) -> str:
    """For people.

    >>> question("department_propensity")
    'purchase by department'
    """
    return f"purchase by {name.removesuffix('_propensity')}" if name.endswith("_propensity") else name


def summary_rows(summary: pd.DataFrame) -> list[list[str]]:
    """``Propensities.summary`` as text, in the order of ``SUMMARY_HEADINGS``."""
    numbers = [f"{name}{part}" for name in ("brier", "log_loss", "ece") for part in ("_before", "")]
    return [
        [question(row["question"]), f"{row['classes']:,}"]
        + [f"{row[name]:.1%}" for name in ("base_rate", "promised_before", "promised")]
        + [_figure(row[name]) for name in ("auc", *numbers, "ece_if_true")]
        for row in summary.to_dict("records")
    ]


def spending_rows(figures: pd.DataFrame) -> list[list[str]]:
    """``Spending.figures`` as text."""
    return [
        [
            _FORECASTS[row["forecast"]],
            f"{row['mae']:,.2f}",
            f"{row['rmse']:,.2f}",
            _figure(row["spearman"]),
            f"{row['predicted']:,.0f}",
            f"{row['actual']:,.0f}",
        ]
        for row in figures.to_dict("records")
    ]


def sentences(summary: pd.DataFrame) -> Iterator[str]:
    """One per question."""
    for row in summary.to_dict("records"):
        before, after, luck = (_figure(row[name]) for name in ("ece_before", "ece", "ece_if_true"))
        moved = f"stays at {after}" if row["ece_before"] == row["ece"] else f"goes from {before} to {after}"
        which = "" if row["classes"] == 1 else f", the mean of {row['classes']:,} classes"
        yield f"{question(row['question']).capitalize()}: ECE {moved}{which}; luck alone would make it {luck}."


def class_rows(figures: pd.DataFrame) -> list[list[str]]:
    """``Promises.figures`` as text, in the order of ``CLASS_HEADINGS``; the commonest class first."""
    numbers = ("auc", "brier_before", "brier", "ece_before", "ece", "ece_if_true")
    return [
        [row["class"], f"{row['base_rate']:.1%}", *(_figure(row[name]) for name in numbers), row["method"]]
        for row in figures.sort_values("base_rate", ascending=False, kind="stable").to_dict("records")
    ]


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"
