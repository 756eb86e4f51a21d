"""Probes and calibrators that are saved with an encoder, so that a service predicts what customers will do."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omniretail.models.lightgbm_params import boosters
from omniretail.profile.probing.cross_fitting import ProbePredictions
from omniretail.profile.probing.lightgbm_probe import FittedLightGBM
from omniretail.profile.probing.linear_probes import FittedLogistic
from omniretail.profile.probing.probes import Probes
from omniretail.profile.probing.targets import Target
from omniretail.profile.propensity.calibration import Calibrator, best_calibrators, calibrate, clipped

_LOGISTIC = ("mean", "scale", "weights")


@dataclass(frozen=True)
class SavedProbe:
    """Predicts one question for any customer's embedding.

    Attributes:
        question: such as ``churn`` or ``category_propensity``.
        classes: T names.
        probes: fitted; the mean of their predictions is calibrated.
        calibrators: one per class.
    """

    question: str
    classes: list[str]
    probes: Sequence[Callable[[np.ndarray], np.ndarray]]
    calibrators: Sequence[Calibrator]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Calibrated probabilities for embeddings (M, D); shape (M, T)."""
        return clipped(calibrate(self.calibrators, np.mean([probe(x) for probe in self.probes], axis=0)))


def fit_saved_probes(
    probes: Probes, learned: Sequence[Target], predictions: Sequence[ProbePredictions], earlier: np.ndarray
) -> list[SavedProbe]:
    """Learn each question about behaviour from all customers; calibrators are fitted on cross-fitted predictions.

    Args:
        probes: which, and with how many seeds.
        learned: per question, the labels to learn from.
        predictions: per question, of ``cross_fit``.
        earlier: embeddings to learn from, NaN rows for customers without events by then; shape (U, D).
    """
    present = np.flatnonzero(np.isfinite(earlier).all(axis=1))
    saved = []
    for target, each in zip(learned, predictions, strict=True):
        if target.kind != "event" or not target.classes or not len(each.rows):
            continue
        rows = target.labelled[np.isin(target.labelled, present)]
        x, y = earlier[rows], target.truth[rows]
        fitted = [probe.fit(x, y, s) for probe in probes.for_target(target).values() for s in range(probes.n_seeds)]
        calibrators = best_calibrators(each.blend.mean(axis=0), each.truth)
        saved.append(SavedProbe(target.name, target.classes, fitted, calibrators))
    return saved


def write_probes(saved: Sequence[SavedProbe], folder: Path) -> None:
    """Write ``probes.json``, ``probes.npz`` and LightGBM's models as text into a folder that exists."""
    arrays: dict[str, np.ndarray] = {}
    questions = [
        {
            "question": each.question,
            "classes": each.classes,
            "probes": [_write_probe(probe, f"{n}.{place}", arrays, folder) for place, probe in enumerate(each.probes)],
            "calibrators": [
                _write_calibrator(one, f"{n}.c{place}", arrays) for place, one in enumerate(each.calibrators)
            ],
        }
        for n, each in enumerate(saved)
    ]
    (folder / "probes.json").write_text(json.dumps(questions, ensure_ascii=False))
    np.savez(folder / "probes.npz", allow_pickle=False, **arrays)


def read_probes(folder: Path) -> list[SavedProbe]:
    """Read what ``write_probes`` wrote."""
    with np.load(folder / "probes.npz", allow_pickle=False) as arrays:
        return [
            SavedProbe(
                each["question"],
                each["classes"],
                [_read_probe(entry, arrays, folder) for entry in each["probes"]],
                [_read_calibrator(entry, arrays) for entry in each["calibrators"]],
            )
            for each in json.loads((folder / "probes.json").read_text())
        ]


def _write_probe(probe: Any, key: str, arrays: dict[str, np.ndarray], folder: Path) -> dict[str, Any]:
    if isinstance(probe, FittedLogistic):
        arrays |= {f"{key}.{part}": getattr(probe, part) for part in _LOGISTIC}
        return {"logistic": key}
    files = [f"probe_{key}.{column}.txt" for column in range(len(probe.boosters))]
    for file, booster in zip(files, probe.boosters, strict=True):
        booster.save_model(folder / file)
    return {"lightgbm": files}


def _write_calibrator(calibrator: Calibrator, key: str, arrays: dict[str, np.ndarray]) -> dict[str, str]:
    arrays |= {f"{key}.x": calibrator.x, f"{key}.y": calibrator.y}
    return {"method": calibrator.method, "knots": key}


def _read_probe(entry: dict[str, Any], arrays: Any, folder: Path) -> FittedLogistic | FittedLightGBM:
    if "lightgbm" in entry:
        return FittedLightGBM(tuple(boosters((folder / Path(file).name).read_text() for file in entry["lightgbm"])))
    return FittedLogistic(*(arrays[f"{entry['logistic']}.{part}"] for part in _LOGISTIC))


def _read_calibrator(entry: dict[str, Any], arrays: Any) -> Calibrator:
    return Calibrator(entry["method"], arrays[f"{entry['knots']}.x"], arrays[f"{entry['knots']}.y"])
