"""Probabilities held against what happened, before and after they were mended."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from omniretail.metrics.classification import auc, brier, expected_calibration_error, log_loss

_DRAWS = 20


@dataclass(frozen=True)
class CalibrationReport:
    """What was promised to N customers of the T classes of one question.

    Attributes:
        question: e.g. ``department_propensity``.
        classes: T names.
        before: the probes' probabilities; shape (N, T).
        after: the calibrated ones; shape (N, T).
        truth: what they did, 0 or 1; shape (N, T).
        methods: how each class was calibrated; T names.
    """

    question: str
    classes: list[str]
    before: np.ndarray
    after: np.ndarray
    truth: np.ndarray
    methods: list[str]

    def figures(self) -> pd.DataFrame:
        """One row per class.

        Returns:
            ``question, class, base_rate, promised_before, promised, auc, brier_before, brier, ece_before, ece,
            ece_if_true, log_loss_before, log_loss, method``; promised is the mean probability, ``ece_if_true`` what
            luck alone would make of probabilities that were exactly right. AUC is NaN where nobody does, or everybody.
        """
        ranks = auc(self.truth, self.after)
        rng = np.random.default_rng(0)
        rows = []
        for column, (name, method) in enumerate(zip(self.classes, self.methods, strict=True)):
            truth, before, after = (each[:, column] for each in (self.truth, self.before, self.after))
            shares = {"base_rate": truth.mean(), "promised_before": before.mean(), "promised": after.mean()}
            facts = {"question": self.question, "class": name, **shares, "auc": ranks[column]}
            rows.append(facts | _compared(truth, before, after, rng) | {"method": method})
        return pd.DataFrame(rows)

    def summary(self) -> dict[str, object]:
        """The question in one row.

        Means over classes, and ``ece_pooled`` with its likes, of all pairs of customer and class in one heap. The
        methods are counted.
        """
        figures = self.figures()
        numbers = figures.drop(columns=["question", "class", "method"])
        truth, before, after = (each.ravel() for each in (self.truth, self.before, self.after))
        pooled = _compared(truth, before, after, np.random.default_rng(0))
        counted = figures.method.value_counts()
        return {
            "question": self.question,
            "classes": len(self.classes),
            "customers": len(self.truth),
            **{str(name): float(value) for name, value in numbers.mean().items()},
            **{name.replace("ece", "ece_pooled"): value for name, value in pooled.items() if name.startswith("ece")},
            "methods": ", ".join(f"{name} {count}" for name, count in counted.items()),
        }


def _compared(truth: np.ndarray, before: np.ndarray, after: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    lucky = [expected_calibration_error(rng.random(len(after)) < after, after) for _ in range(_DRAWS)]
    return {
        "brier_before": brier(truth, before),
        "brier": brier(truth, after),
        "ece_before": expected_calibration_error(truth, before),
        "ece": expected_calibration_error(truth, after),
        "ece_if_true": float(np.mean(lucky)),
        "log_loss_before": log_loss(truth, before),
        "log_loss": log_loss(truth, after),
    }
