"""Propensities in words: metrics as people read them, notes, a sentence on each question."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from omniretail.profile.propensity.calibration_report import CalibrationReport
from omniretail.profile.propensity.evaluate import Propensities
from omniretail.profile.propensity.expected_spend import SpendForecast

SUMMARY_HEADINGS = (
    *("question", "classes", "did", "predicted before", "predicted after", "AUC", "Brier before", "Brier after"),
    *("log loss before", "log loss after", "ECE before", "ECE after", "ECE if exact"),
)
CLASS_HEADINGS = (
    *("class", "did", "AUC", "Brier before", "Brier after", "ECE before", "ECE after", "ECE if exact"),
    "calibrated by",
)
SPEND_HEADINGS = ("forecast", "MAE", "RMSE", "Spearman", "total predicted", "total spent")
_FORECASTS = {"before": "before calibration", "after": "after calibration", "own_rate": "own rate"}
NOTES = (
    "Did: the share of customers. Predicted: the mean probability. Brier score: mean squared difference between "
    "the probability and the outcome; log loss: minus the logarithm of the outcome's probability. Lower is better.",
    "ECE: expected calibration error, the difference between the mean probability and the share that did, averaged "
    "over ten bins of equal size (equal probabilities share a bin). If exact: the ECE that sampling alone gives with "
    "exact probabilities. Metrics of a question are means over its classes.",
    "The method of each class (Platt scaling, isotonic regression, or none where neither helps) is chosen by "
    "cross-validated log loss within the calibration window.",
)


def question(name: str) -> str:
    """For people.

    >>> question("department_propensity")
    'purchase by department'
    """
    return f"purchase by {name.removesuffix('_propensity')}" if name.endswith("_propensity") else name


def summary_rows(reports: Sequence[CalibrationReport]) -> list[list[str]]:
    """One row per question, in the order of ``SUMMARY_HEADINGS``."""
    numbers = [f"{name}{part}" for name in ("brier", "log_loss", "ece") for part in ("_before", "")]
    return [
        [question(each.question), f"{len(each.classes):,}"]
        + [f"{each.metrics[name]:.1%}" for name in ("base_rate", "predicted_before", "predicted")]
        + [_figure(each.metrics[name]) for name in ("auc", *numbers, "ece_if_calibrated")]
        for each in reports
    ]


def spend_rows(metrics: pd.DataFrame) -> list[list[str]]:
    """``SpendForecast.metrics`` as text, in the order of ``SPEND_HEADINGS``."""
    return [
        [
            label,
            *(f"{metrics.loc[name, error]:,.2f}" for error in ("mae", "rmse")),
            _figure(metrics["spearman"].to_dict()[name]),
            *(f"{metrics.loc[name, total]:,.0f}" for total in ("predicted", "actual")),
        ]
        for name, label in _FORECASTS.items()
    ]


def spend_notes(spend: SpendForecast) -> list[str]:
    """How to read the forecasts."""
    return [
        "Own rate: what the customer spent per window in the last three. Before: the probability to buy times the "
        f"amount of buyers, as the probes predict. After: that and the own rate (weight {spend.credibility:.0%}), "
        f"rescaled ({spend.method}) to be right in the mean on the calibration window. Amounts are skewed: a forecast "
        "that is right in the mean may have a larger MAE."
    ]


def expected(propensities: Propensities, currency: str) -> Iterator[str]:
    """How many customers are expected to stay away and what all will spend, beside what happened."""
    churn, n = propensities.reports[0], len(propensities.ids)
    away, truth = float(churn.after[:, 0].sum()), int(churn.truth[:, 0].sum())
    yield f"{away:,.0f} of {n:,} customers were expected to stay away; {truth:,} did."
    if propensities.spend is not None:
        spend = propensities.spend
        unit = f" {currency}" if currency else ""
        yield f"{spend.after.sum():,.0f}{unit} were expected to be spent; {spend.truth.sum():,.0f}{unit} were."


def sentences(reports: Sequence[CalibrationReport]) -> Iterator[str]:
    """One per question."""
    for each in reports:
        values = each.metrics
        before, after, exact = (_figure(values[name]) for name in ("ece_before", "ece", "ece_if_calibrated"))
        moved = f"stays at {after}" if values["ece_before"] == values["ece"] else f"goes from {before} to {after}"
        of_classes = "" if len(each.classes) == 1 else f", the mean of {len(each.classes):,} classes"
        name = question(each.question).capitalize()
        yield f"{name}: ECE {moved}{of_classes}; exact probabilities would have {exact}."


def class_rows(per_class: pd.DataFrame) -> list[list[str]]:
    """``CalibrationReport.per_class`` as text, in the order of ``CLASS_HEADINGS``; the most frequent class first."""
    numbers = ("auc", "brier_before", "brier", "ece_before", "ece", "ece_if_calibrated")
    return [
        [row["class"], f"{row['base_rate']:.1%}", *(_figure(row[name]) for name in numbers), row["method"]]
        for row in per_class.sort_values("base_rate", ascending=False, kind="stable").to_dict("records")
    ]


def _figure(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"
