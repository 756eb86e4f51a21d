"""What every customer will do in the next window, as probabilities that hold what they promise."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from omniretail.core.resources import metered
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.profile.probing.cross_fitting import CrossFitting
from omniretail.profile.probing.targets import Target
from omniretail.profile.propensity.calibration import base_rate, calibrated, chosen_per_class
from omniretail.profile.propensity.expected_spend import SpendForecast, spend_forecast
from omniretail.profile.propensity.reliability import CalibrationReport
from omniretail.profile.propensity.three_windows import ThreeWindows, three_windows
from omniretail.schema import Tables
from omniretail.splits.cutoff import Split

_LEAST = 1e-6


@dataclass(frozen=True)
class Propensities:
    """Probabilities of all N customers known at the moment they are made for.

    Attributes:
        ids: raw ids, ascending; shape (N,).
        at: that moment, seconds since 1970.
        promises: one per question, churn first.
        spend_forecast: what each is expected to pay in the window; None where the log has no amounts.
        left_out: per question, why classes are missing, counted.
        fit_s: seconds to fit the encoder.
        embed_s: seconds to embed the customers at three moments.
        ask_s: seconds to learn, calibrate and answer all questions.
    """

    ids: np.ndarray
    at: int
    promises: list[CalibrationReport]
    spend_forecast: SpendForecast | None
    left_out: Mapping[str, Mapping[str, int]]
    fit_s: float
    embed_s: float
    ask_s: float

    def figures(self) -> pd.DataFrame:
        """One row per question and class; see ``Promises.figures``."""
        return pd.concat([each.figures() for each in self.promises], ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """One row per question; see ``Promises.summary``."""
        return pd.DataFrame([each.summary() for each in self.promises])

    def table(self) -> pd.DataFrame:
        """One row per customer: ``user_id, p_churn, expected_spend`` and such as ``p_department_GROCERY``."""
        columns: dict[str, np.ndarray] = {"user_id": self.ids, "p_churn": self.promises[0].after[:, 0]}
        if self.spend_forecast is not None:
            columns["expected_spend"] = self.spend_forecast.after
        for each in self.promises[1:]:
            level = each.question.removesuffix("_propensity")
            columns |= {f"p_{level}_{word}": p for word, p in zip(each.classes, each.after.T, strict=True)}
        return pd.DataFrame(columns)


def propensities(
    model: ProfileEncoder,
    tables: Tables,
    split: Split,
    cache: Path,
    levels: Mapping[str, str],
    at_least: int = 50,
    protocol: CrossFitting = CrossFitting(),  # noqa: B008  (frozen)
) -> Propensities:
    """Learn two windows before the cutoff, calibrate one window before it, promise at the cutoff.

    Encoder and probes know what lies before ``t - w``; calibrators, what lies before t; events from t on are read for
    the figures alone. Windows are disjoint, customers are not: whoever is promised something was, unless new, among
    those learned from, and is so at ``t - w`` too, so that calibrators meet the overconfidence that there will be.

    Args:
        model: not yet fitted.
        tables: the data.
        split: by time; promised is what happens in its test window.
        cache: of the folds.
        levels: name of a question -> column of the item table: what will be bought.
        at_least: customers who buy, and who do not buy, a word in the window learned from.
        protocol: which probes answer, the mean over how many seeds.

    Raises:
        DataError: where the split is not by time, or the log is too short for three windows.
        ValueError: where embeddings are not finite.
    """
    seen = three_windows(model, tables, split, cache, levels, at_least)
    asked = seen.learn.targets
    with metered() as asking:
        events = [target for target in asked.values() if target.kind == "event" and target.classes]
        promises = [_promised(target, seen, protocol) for target in events]
        expected = spend_forecast(seen, protocol.n_seeds) if "spend" in asked else None
    return Propensities(
        ids=seen.serve.train.users.ids.to_numpy(),
        at=seen.serve.train.at,
        promises=promises,
        spend_forecast=expected,
        left_out={name: dict(target.left_out) for name, target in asked.items() if target.left_out},
        fit_s=seen.fit_s,
        embed_s=seen.embed_s,
        ask_s=asking.seconds,
    )


def _promised(target: Target, seen: ThreeWindows, protocol: CrossFitting) -> CalibrationReport:
    checked, served = (look.targets[target.name].truth for look in (seen.calibrate, seen.serve))
    said = _said(target, seen.learn.x, np.concatenate([seen.calibrate.x, seen.serve.x]), protocol)
    at_check, before = said[: len(checked)], said[len(checked) :]
    calibrators = chosen_per_class(at_check, checked)
    return CalibrationReport(
        question=target.name,
        classes=target.classes,
        before=before,
        after=np.clip(calibrated(calibrators, before), _LEAST, 1 - _LEAST),
        truth=served,
        methods=[each.method for each in calibrators],
    )


def _said(target: Target, x: np.ndarray, asked: np.ndarray, protocol: CrossFitting) -> np.ndarray:
    """What the probes promise, the mean over them and their seeds; shape (M, T)."""
    answer = np.empty((len(asked), len(target.classes)))
    ones = target.truth.sum(axis=0)
    told = (ones > 0) & (ones < len(x))
    for column in np.flatnonzero(~told):  # nothing to tell apart
        answer[:, column] = base_rate(target.truth[:, column]).y[0]
    if told.any():
        answer[:, told] = np.mean(
            [
                probe(x, target.truth[:, told], asked, seed)
                for probe in protocol.probes(target).values()
                for seed in range(protocol.n_seeds)
            ],
            axis=0,
        )
    return np.clip(answer, _LEAST, 1 - _LEAST)
