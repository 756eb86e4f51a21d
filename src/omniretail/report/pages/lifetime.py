"""The page of the lifetime task: errors per customer, totals, who is worth what, and the fitted parameters in words."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.profile.lifetime import TARGETS, LifetimeFindings
from omniretail.report.charts.bars import columns
from omniretail.report.charts.chart import Chart
from omniretail.report.pages.comparison import protocol_terms
from omniretail.report.pages.files import write_beside
from omniretail.report.pages.in_words import parameters_in_words
from omniretail.report.pages.page import Page, Section, Table
from omniretail.report.tables.format import NOTHING
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation
from omniretail.views.profile.recency_frequency import WEEK

HEADINGS = ("per customer", "MAE", "RMSE", "Spearman", "total predicted", "total in the window")
NOTE = (
    "A model is useful where its MAE and RMSE (per customer; lower is better) and its rank correlation (1 is a perfect "
    "order) beat the baselines lifetime/own_rate and lifetime/mean_rate, and its total is close to that of the window."
)
_ERRORS = ("mae", "rmse", "spearman", "predicted", "actual")
_N_CUSTOMERS = 20
_COLUMNS = {"user_id": "customer", "p_alive": "still a customer, probability"}
_MEANINGS = {
    "r": "shape of the purchase rates: the smaller, the more customers differ",
    "alpha": "scale of the purchase rates: the mean is r / alpha purchases per {unit}",
    "a": "a / (a + b) is the mean probability to leave after a repeat purchase",
    "b": "see a; the smaller both, the more customers differ",
    "p": "shape of a customer's transactions: the larger, the more similar",
    "q": "shape of customers' means: the smaller, the more customers differ",
    "v": "scale of spending: the mean is p v / (q - 1) per purchase, in the currency",
    "rate": "purchases per {unit}",
    "mean_value": "currency per purchase",
    "buying_penalty": "on extreme parameters of the number of purchases",
    "spending_penalty": "on extreme parameters of the value of purchases",
}


def page(path: Path, evaluation: Evaluation, card: DatasetCard) -> None:
    """Write errors, totals, customers and parameters; all customers' predictions go into a CSV file beside the page.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.lifetime``.
        card: of the dataset.
    """
    findings: LifetimeFindings = evaluation.findings
    result, predictions = evaluation.result, evaluation.tables.get("predictions", pd.DataFrame())
    sections = [Section("Predicted and observed", tables=[Table(error_cells(result), [NOTE])])]
    if len(predictions):
        sections.append(_customers(path, predictions, card))
    if findings.parameters:
        sections.append(Section("Fitted parameters", tables=[Table(_parameters(findings))]))
    Page(
        title=f"Lifetime value: {result.model}",
        card=card,
        sentences=sentences(result, findings, card),
        sections=sections,
        terms={"Model": result.model, "Settings": parameters_in_words(result.parameters)} | protocol_terms(result),
    ).write(path)


def sentences(result: Result, findings: LifetimeFindings, card: DatasetCard) -> list[str]:
    """How far the total is off, and how far a customer's."""
    values = result.values()
    predicted, actual = values["purchases/predicted"], values["purchases/actual"]
    off = f"{predicted / actual - 1:+.0%}".replace("-", "−").replace("%", " %") if actual else "not comparable"
    return [
        f"{result.model} predicts {predicted:,.0f} purchases where {actual:,.0f} were made ({off}); for a single "
        f"customer it is off by {values['purchases/mae']:.2f} purchases on average.",
        f"{card.title}: purchases of {findings.n_customers:,} customers in the {findings.horizon_days} days after the "
        f"cutoff, predicted by {result.model}.",
    ]


def error_cells(result: Result) -> pd.DataFrame:
    """One row per target, as text."""
    rows = [_row(result, target) for target in TARGETS if f"{target}/mae" in result.values()]
    return pd.DataFrame(rows, columns=HEADINGS)


def _row(result: Result, target: str) -> list[str]:
    values = {name: result.value(f"{target}/{name}") for name in _ERRORS}
    digits = {name: 0 if name in ("predicted", "actual") else 3 for name in _ERRORS}
    return [target, *(NOTHING if np.isnan(value) else f"{value:,.{digits[name]}f}" for name, value in values.items())]


def _parameters(findings: LifetimeFindings) -> pd.DataFrame:
    unit = "week" if findings.unit_days == WEEK else f"{findings.unit_days:g} days"
    rows = [
        [name, f"{value:,.4f}", _MEANINGS.get(name, "").format(unit=unit)]
        for name, value in findings.parameters.items()
    ]
    return pd.DataFrame(rows, columns=["parameter", "value", "meaning"])


def _customers(path: Path, predictions: pd.DataFrame, card: DatasetCard) -> Section:
    """The customers who are worth most, and how value spreads over tenths of the customers."""
    by = "value" if "value" in predictions else "purchases"
    names = ["user_id", *predictions.columns.drop("user_id")]
    ordered = pd.DataFrame(predictions.sort_values(by, ascending=False, kind="stable")[names])
    file = write_beside(path, "customers", ordered)
    shown: Any = ordered.head(_N_CUSTOMERS)
    cells = shown.assign(**{name: shown[name].map("{:,.2f}".format) for name in names[1:]})
    notes = [f"The {len(shown)} customers with the highest prediction."]
    return Section(
        "Who is worth what",
        tables=[Table(cells.rename(columns=_COLUMNS), notes)],
        charts=[_tenths(ordered[by].to_numpy(float), by, card)],
        file=file,
    )


def _tenths(values: np.ndarray, by: str, card: DatasetCard) -> Chart:
    """The mean prediction of each tenth of the customers."""
    parts = [part for part in np.array_split(values, 10) if len(part)]
    frame = pd.DataFrame(
        {"name": [str(place + 1) for place in range(len(parts))], "value": [part.mean() for part in parts]}
    )
    y = f"{by} per customer" + (f", {card.currency}" if by == "value" and card.currency else "")
    share = parts[0].sum() / values.sum() if values.sum() else 0.0
    caption = f"Tenths of the customers, the first is worth most: {share:.0%} of the total. Line: all customers."
    return columns(frame.assign(everybody=values.mean()), "How the prediction spreads", caption, ",.2~f", y)
