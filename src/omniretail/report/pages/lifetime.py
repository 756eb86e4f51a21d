"""The page of the lifetime task: errors per customer, totals, and the fitted parameters in words."""

from pathlib import Path

import numpy as np

from omniretail.profile.lifetime import TARGETS, LifetimeFindings
from omniretail.report.pages.templates import write_page
from omniretail.result import Result
from omniretail.schema import DatasetCard
from omniretail.tasks import Evaluation
from omniretail.views.profile.recency_frequency import WEEK

HEADINGS = ("per customer", "MAE", "RMSE", "Spearman", "total predicted", "total in the window")
PARAMETER_HEADINGS = ("parameter", "value", "meaning")
NOTE = (
    "A model is useful where its MAE and RMSE (per customer; lower is better) and its rank correlation (1 is a perfect "
    "order) beat the baselines lifetime/own_rate and lifetime/mean_rate, and its total is close to that of the window."
)
_ERRORS = ("mae", "rmse", "spearman", "predicted", "actual")
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
    """Write errors, totals and parameters.

    Args:
        path: the file to write; its folder is made.
        evaluation: of ``profile.lifetime``.
        card: of the dataset.
    """
    findings: LifetimeFindings = evaluation.findings
    result = evaluation.result
    unit = "week" if findings.unit_days == WEEK else f"{findings.unit_days:g} days"
    parameters = [
        [name, f"{value:,.4f}", _MEANINGS.get(name, "").format(unit=unit)]
        for name, value in findings.parameters.items()
    ]
    context = (
        f"{card.title}: purchases of {findings.n_customers:,} customers in the {findings.horizon_days} days after the "
        f"cutoff, predicted by {result.model}."
    )
    write_page(
        path,
        "lifetime",
        title="Lifetime value",
        sentences=[context],
        headings=HEADINGS,
        rows=[_row(result, target) for target in TARGETS if f"{target}/mae" in result.values()],
        note=NOTE,
        parameter_headings=PARAMETER_HEADINGS,
        parameters=parameters,
        data=card,
        facts={"Model": result.model, "Settings": result.parameters or "none", "Stage": result.stage},
    )


def _row(result: Result, target: str) -> list[str]:
    values = {name: result.value(f"{target}/{name}") for name in _ERRORS}
    digits = {name: 0 if name in ("predicted", "actual") else 3 for name in _ERRORS}
    return [target, *("–" if np.isnan(value) else f"{value:,.{digits[name]}f}" for name, value in values.items())]
