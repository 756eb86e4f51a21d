"""Predicted probabilities of one question beside what happened, before and after calibration."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from omniretail.metrics.classification import auc, brier, expected_calibration_error, log_loss, log_losses

_SIMULATIONS = 20


@dataclass(frozen=True)
class CalibrationReport:
    """Probabilities of N customers for the T classes of one question.

    Attributes:
        question: e.g. ``department_propensity``.
        classes: T names.
        before: probabilities of the probes; shape (N, T).
        after: calibrated probabilities; shape (N, T).
        truth: what happened, 0 or 1; shape (N, T).
        methods: how each class is calibrated; T names.
    """

    question: str
    classes: list[str]
    before: np.ndarray
    after: np.ndarray
    truth: np.ndarray
    methods: list[str]

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """One row per class.

        ``question, class, base_rate, predicted_before, predicted, auc, brier_before, brier, ece_before, ece,
        ece_if_calibrated, log_loss_before, log_loss, method``. ``predicted`` is the mean probability,
        ``ece_if_calibrated`` the error that sampling alone causes where every probability is exact. AUC is NaN where
        the event happens to nobody or to everybody.
        """
        ranking = auc(self.truth, self.after)
        rng = np.random.default_rng(0)
        rows = []
        for column, (name, method) in enumerate(zip(self.classes, self.methods, strict=True)):
            truth, before, after = (each[:, column] for each in (self.truth, self.before, self.after))
            means = {"base_rate": truth.mean(), "predicted_before": before.mean(), "predicted": after.mean()}
            first = {"question": self.question, "class": name, **means, "auc": ranking[column]}
            rows.append(first | _errors(truth, before, after, rng) | {"method": method})
        return pd.DataFrame(rows)

    @cached_property
    def metrics(self) -> dict[str, float]:
        """Means over classes of ``per_class``, and ``ece_pooled…`` of all pairs of customer and class together."""
        means = self.per_class.drop(columns=["question", "class", "method"]).mean()
        truth, before, after = (each.ravel() for each in (self.truth, self.before, self.after))
        pooled = _errors(truth, before, after, np.random.default_rng(0))
        return {str(name): float(value) for name, value in means.items()} | {
            name.replace("ece", "ece_pooled"): value for name, value in pooled.items() if name.startswith("ece")
        }

    def per_customer(self) -> pd.DataFrame:
        """``brier_before, brier, log_loss_before, log_loss`` of each customer, means over classes; shape (N, 4)."""
        columns = {}
        for suffix, probability in (("_before", self.before), ("", self.after)):
            columns[f"brier{suffix}"] = ((probability - self.truth) ** 2).mean(axis=1)
            columns[f"log_loss{suffix}"] = log_losses(self.truth, probability).mean(axis=1)
        return pd.DataFrame(columns)


def _errors(truth: np.ndarray, before: np.ndarray, after: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    simulated = [expected_calibration_error(rng.random(len(after)) < after, after) for _ in range(_SIMULATIONS)]
    return {
        "brier_before": brier(truth, before),
        "brier": brier(truth, after),
        "ece_before": expected_calibration_error(truth, before),
        "ece": expected_calibration_error(truth, after),
        "ece_if_calibrated": float(np.mean(simulated)),
        "log_loss_before": log_loss(truth, before),
        "log_loss": log_loss(truth, after),
    }
