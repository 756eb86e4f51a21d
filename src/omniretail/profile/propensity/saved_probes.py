"""Probes and calibrators that are kept with an encoder, so that a service promises what customers will do."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np

from omniretail.profile.probing.cross_fitting import CrossFitting, ProbePredictions
from omniretail.profile.probing.probe_models import Forest, Linear
from omniretail.profile.probing.targets import Target
from omniretail.profile.propensity.calibration import Calibrator, calibrated, chosen_per_class

_LEAST = 1e-6


@dataclass(frozen=True)
class SavedProbe:
    """Answers one question about any customer's embedding.

    Attributes:
        question: such as ``churn`` or ``category_propensity``.
        classes: T names.
        probes: the mean of what they say is calibrated.
        calibrators: one per class.
    """

    question: str
    classes: list[str]
    probes: Sequence[Callable[[np.ndarray], np.ndarray]]
    calibrators: Sequence[Calibrator]

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Calibrated probabilities for embeddings (M, D); shape (M, T)."""
        said = np.mean([probe(x) for probe in self.probes], axis=0)
        return np.clip(calibrated(self.calibrators, said), _LEAST, 1 - _LEAST)


def saved_probes(
    protocol: CrossFitting, learned: Sequence[Target], answers: Sequence[ProbePredictions], before: np.ndarray
) -> list[SavedProbe]:
    """Learn each question of what happens next from all customers, and calibrate it on the window it was judged in.

    Calibrators see what probes said of customers that they had not learned from; see ``Protocol.ask``.

    Args:
        protocol: which probes answer, the mean over how many seeds.
        learned: per question, the answers to learn from.
        answers: per question, what was said when it was judged.
        before: embeddings to learn with, NaN rows for customers who were not there yet; shape (U, D).
    """
    there = np.flatnonzero(np.isfinite(before).all(axis=1))
    made = []
    for target, said in zip(learned, answers, strict=True):
        rows = target.known[np.isin(target.known, there)]
        if target.kind != "event" or not target.classes or not len(said.rows):
            continue
        probes: list[Any] = list(protocol.probes(target).values())
        fitted = [
            probe.fit(before[rows], target.truth[rows], seed) for probe in probes for seed in range(protocol.n_seeds)
        ]
        blend = np.mean(list(said.by_probe.values()), axis=(0, 1))  # (N, T)
        made.append(SavedProbe(target.name, target.classes, fitted, chosen_per_class(blend, said.truth)))
    return made


def write_probes(made: Sequence[SavedProbe], folder: Path) -> None:
    """Write ``promises.json``, ``promises.npz`` and LightGBM's models as text; the folder is there."""
    told, arrays = [], {}
    for number, each in enumerate(made):
        probes = []
        for place, probe in enumerate(each.probes):
            key = f"{number}.{place}"
            if isinstance(probe, Forest):
                files = [f"promises_{key}.{column}.txt" for column in range(len(probe.boosters))]
                for file, booster in zip(files, probe.boosters, strict=True):
                    booster.save_model(folder / file)
                probes.append({"trees": files})
            elif isinstance(probe, Linear):
                arrays |= {f"{key}.{part}": getattr(probe, part) for part in ("mean", "spread", "weights")}
                probes.append({"linear": key})
        calibrators = []
        for place, calibrator in enumerate(each.calibrators):
            key = f"{number}.c{place}"
            arrays |= {f"{key}.x": calibrator.x, f"{key}.y": calibrator.y}
            calibrators.append({"method": calibrator.method, "knots": key})
        told.append({"question": each.question, "classes": each.classes, "probes": probes, "calibrators": calibrators})
    (folder / "promises.json").write_text(json.dumps(told, ensure_ascii=False))
    np.savez(folder / "promises.npz", allow_pickle=False, **arrays)


def read_probes(folder: Path) -> list[SavedProbe]:
    """Read what ``write_probes`` wrote."""
    with np.load(folder / "promises.npz", allow_pickle=False) as arrays:
        return [
            SavedProbe(
                each["question"],
                each["classes"],
                [_probe(told, arrays, folder) for told in each["probes"]],
                [_calibrator(told, arrays) for told in each["calibrators"]],
            )
            for each in json.loads((folder / "promises.json").read_text())
        ]


def _probe(told: dict[str, Any], arrays: Any, folder: Path) -> Linear | Forest:
    if "trees" in told:
        return Forest(tuple(lightgbm.Booster(model_file=folder / Path(file).name) for file in told["trees"]))
    return Linear(*(arrays[f"{told['linear']}.{part}"] for part in ("mean", "spread", "weights")))


def _calibrator(told: dict[str, Any], arrays: Any) -> Calibrator:
    return Calibrator(told["method"], arrays[f"{told['knots']}.x"], arrays[f"{told['knots']}.y"])
