"""The propensity task: calibrated probabilities of what every customer does in the next window."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.progress import progress
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.profile.probing.probes import Probes
from omniretail.profile.probing.targets import Target
from omniretail.profile.propensity.calibration import base_rate, best_calibrators, calibrate, clipped
from omniretail.profile.propensity.calibration_report import CalibrationReport
from omniretail.profile.propensity.expected_spend import SpendForecast, spend_forecast
from omniretail.profile.propensity.three_windows import ThreeWindows, three_windows
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of

_SUFFIXES = {"before": "_before", "after": "", "own_rate": "_own_rate"}


@dataclass(frozen=True)
class Propensities:
    """Probabilities of the N customers known at the cutoff, and what happened.

    Attributes:
        ids: raw ids, ascending; shape (N,).
        at: the cutoff, seconds since 1970.
        window_s: length of the window, seconds.
        reports: one per question, churn first.
        spend: what each customer is expected to spend in the window; None where the log has no amounts.
        left_out: per question, reasons why classes are missing, counted.
    """

    ids: np.ndarray
    at: int
    window_s: int
    reports: list[CalibrationReport]
    spend: SpendForecast | None
    left_out: Mapping[str, Mapping[str, int]]

    def table(self) -> pd.DataFrame:
        """One row per customer: ``user_id, p_churn, expected_spend`` and such as ``p_department_GROCERY``."""
        columns: dict[str, np.ndarray] = {"user_id": self.ids, "p_churn": self.reports[0].after[:, 0]}
        if self.spend is not None:
            columns["expected_spend"] = self.spend.after
        for each in self.reports[1:]:
            level = each.question.removesuffix("_propensity")
            columns |= {f"p_{level}_{value}": p for value, p in zip(each.classes, each.after.T, strict=True)}
        return pd.DataFrame(columns)

    def metrics(self) -> pd.DataFrame:
        """Rows of ``Result.metrics``; a question is a group, and ``…_before`` is without calibration."""
        groups = {each.question: each.metrics for each in self.reports}
        if self.spend is not None:
            forecasts = self.spend.metrics()
            spend = {
                f"{metric}{suffix}": float(forecasts.loc[name, metric])
                for name, suffix in _SUFFIXES.items()
                for metric in forecasts
                if metric != "actual"
            }
            groups["spend"] = {**spend, "actual": float(self.spend.truth.sum())}
        return pd.concat([metric_rows(values, group) for group, values in groups.items()], ignore_index=True)

    def per_customer(self) -> pd.DataFrame:
        """Brier score and log loss of each question, and absolute errors of spend, under their metrics' keys."""
        parts = [each.per_customer().add_prefix(f"{each.question}/") for each in self.reports]
        if self.spend is not None:
            forecasts = {"before": self.spend.before, "after": self.spend.after, "own_rate": self.spend.own_rate}
            errors = {f"spend/mae{_SUFFIXES[name]}": np.abs(f - self.spend.truth) for name, f in forecasts.items()}
            parts.append(pd.DataFrame(errors))
        return pd.concat(parts, axis="columns").set_index(pd.Index(self.ids, name="user_id"))


@dataclass(frozen=True)
class Propensity:
    """Predict churn, spend and purchases from embeddings, calibrated.

    Encoder and probes know what lies before ``t - w``, calibrators what lies before the cutoff t; events from t on are
    read for the metrics alone. Windows are disjoint, customers are not: most customers of the test window are among
    those learned from, and in the calibration window too, so that calibrators meet the same overconfidence.

    Attributes:
        probes: the small models whose mean is calibrated.
        levels: name of a question -> column of the items table whose values customers buy.
        min_buyers: customers who buy, and who do not buy, a value in the learning window.
    """

    probes: Probes = field(default_factory=Probes)
    levels: Mapping[str, str] = field(default_factory=dict)
    min_buyers: int = 50

    def __post_init__(self) -> None:
        at_least(self, "min_buyers", low=1)

    def evaluate(self, model: ProfileEncoder, data: Dataset, stage: Stage) -> Evaluation:
        """Learn two windows before the stage's cutoff, calibrate one window before it, predict at it; see ``Task``.

        Raises:
            DataError: where the split is not by time, or the log is too short for three windows.
            SettingsError: where embeddings are not finite.
        """
        require_methods(model, ["fit", "embed"], "profile", example="profile/table")
        windows = three_windows(model, data, stage, self.levels, self.min_buyers)
        with metered() as probing:
            propensities = self._predict(windows)
        result = Result(
            model=model_name(model),
            stage=stage,
            task="propensity",
            per_unit=propensities.per_customer(),
            metrics=propensities.metrics(),
            protocol=protocol_of(self, "propensity", data, stage),
            parameters=parameters_of(model),
            counts=_counts(propensities),
            cost=costs(fit=windows.fitting, score=windows.embedding, probe=probing),
            seed=seed_of(model),
        )
        tables = {"propensities": propensities.table(), "classes": _classes(propensities)}
        return Evaluation(result, tables=tables, findings=propensities, model=model)

    def _predict(self, windows: ThreeWindows) -> Propensities:
        learned = windows.learning.targets
        events = [target for target in learned.values() if target.kind == "event" and target.classes]
        return Propensities(
            ids=windows.test.train.users.ids.to_numpy(),
            at=windows.test.train.at,
            window_s=windows.window_s,
            reports=[self._report(target, windows) for target in events],
            spend=spend_forecast(windows, self.probes.n_seeds) if "spend" in learned else None,
            left_out={name: dict(target.left_out) for name, target in learned.items() if target.left_out},
        )

    def _report(self, target: Target, windows: ThreeWindows) -> CalibrationReport:
        calibration, test = windows.calibration, windows.test
        both = self._uncalibrated(target, windows.learning.x, np.concatenate([calibration.x, test.x]))
        held_back, before = np.split(both, [len(calibration.x)])
        calibrators = best_calibrators(held_back, calibration.targets[target.name].truth)
        return CalibrationReport(
            question=target.name,
            classes=target.classes,
            before=before,
            after=clipped(calibrate(calibrators, before)),
            truth=test.targets[target.name].truth,
            methods=[each.method for each in calibrators],
        )

    def _uncalibrated(self, target: Target, x: np.ndarray, x_new: np.ndarray) -> np.ndarray:
        """Probabilities, the mean over probes and their seeds; shape (M, T)."""
        probability = np.empty((len(x_new), len(target.classes)))
        positives = target.truth.sum(axis=0)
        learnable = (positives > 0) & (positives < len(x))
        for column in np.flatnonzero(~learnable):
            probability[:, column] = base_rate(target.truth[:, column]).y[0]
        if learnable.any():
            y = target.truth[:, learnable]
            probes = self.probes.for_target(target).values()
            pairs = [(probe, seed) for probe in probes for seed in range(self.probes.n_seeds)]
            fitted = [probe.fit(x, y, seed) for probe, seed in progress(pairs, f"probes of {target.name}")]
            probability[:, learnable] = np.mean([predict(x_new) for predict in fitted], axis=0)
        return clipped(probability)


def _counts(propensities: Propensities) -> dict[str, float]:
    classes: dict[str, Any] = {f"{each.question}/classes": len(each.classes) for each in propensities.reports}
    return {"customers": len(propensities.ids), **classes}


def _classes(propensities: Propensities) -> pd.DataFrame:
    return pd.concat([each.per_class for each in propensities.reports], ignore_index=True)
