"""The small models that predict a question's labels from embeddings."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from omniretail.core.checks import at_least
from omniretail.profile.probing.lightgbm_probe import LightGBMProbe
from omniretail.profile.probing.linear_probes import LogisticProbe, RidgeProbe
from omniretail.profile.probing.targets import Target


class Probe(Protocol):
    """Learns from embeddings of some customers and predicts for those of others."""

    def fit(self, x: np.ndarray, y: np.ndarray, seed: int) -> Callable[[np.ndarray], np.ndarray]:
        """Learn T columns of labels at once.

        Args:
            x: embeddings; shape (N, D).
            y: labels; shape (N, T).
            seed: of everything random.

        Returns:
            A function from embeddings (M, D) to probabilities or amounts (M, T).
        """
        ...


@dataclass(frozen=True)
class Probes:
    """Which probes predict a question.

    Attributes:
        n_seeds: repetitions, over which predictions or metrics are averaged.
        lightgbm: use LightGBM beside the linear probe.
        lightgbm_max_classes: questions with more classes get the linear probe alone.
    """

    n_seeds: int = 5
    lightgbm: bool = True
    lightgbm_max_classes: int = 12

    def __post_init__(self) -> None:
        at_least(self, "n_seeds", low=1)

    def for_target(self, target: Target) -> dict[str, Probe]:
        """The probes of a question by name."""
        amount = target.kind == "amount"
        probes: dict[str, Probe] = {"linear": RidgeProbe() if amount else LogisticProbe()}
        if self.lightgbm and len(target.classes) <= self.lightgbm_max_classes:
            probes["trees"] = LightGBMProbe("regression" if amount else "binary")
        return probes
