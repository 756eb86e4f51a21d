"""The frozen protocol: cross-fitting over customers, several times over, each never asked by a model that knew them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from omniretail.profile.probing.probe_models import Logistic, Probe, Ridge, Trees
from omniretail.profile.probing.targets import Target


@dataclass(frozen=True)
class ProbePredictions:
    """What probes said of one question, for the customers whose answer is known.

    Attributes:
        target: the question, as judged.
        rows: those customers; shape (N,).
        by_probe: scores per probe and seed; each of shape (S, N, T).
    """

    target: Target
    rows: np.ndarray
    by_probe: Mapping[str, np.ndarray]

    @property
    def truth(self) -> np.ndarray:
        """Shape (N, T)."""
        return self.target.truth[self.rows]


@dataclass(frozen=True)
class CrossFitting:
    """How embeddings are questioned.

    Args:
        n_seeds: how often the customers are dealt into folds anew.
        n_folds: each is answered for by probes that learned from the others.
        trees: ask LightGBM beside the linear probe.
        trees_at_most: questions with more columns than this go to the linear probe alone.
    """

    n_seeds: int = 5
    n_folds: int = 5
    trees: bool = True
    trees_at_most: int = 12

    def ask(self, learned: Target, judged: Target, before: np.ndarray, now: np.ndarray) -> ProbePredictions:
        """Learn a question from customers as they were before, and put it to other customers as they are now.

        Args:
            learned: the question with the answers to learn from: facts as they are, events of the earlier window.
            judged: the same question with the answers to judge by.
            before: embeddings at the earlier moment, NaN rows for customers who were not there yet; shape (U, D).
            now: embeddings at the later moment; shape (U, D).
        """
        rows = judged.known
        teachable = np.zeros(len(before), dtype=bool)
        teachable[learned.known] = True
        teachable &= ~np.isnan(before).any(axis=1)
        probes = self.probes(judged)
        scores = {name: np.zeros((self.n_seeds, len(rows), len(judged.classes))) for name in probes}
        for seed, held, asked in self._deals(judged, rows):
            teachers = np.flatnonzero(teachable & ~held)
            for name, probe in probes.items():
                x, y = before[teachers], learned.truth[teachers]
                scores[name][seed, asked] = probe(x, y, now[rows[asked]], seed)
        return ProbePredictions(judged, rows, scores)

    def probes(self, target: Target) -> dict[str, Probe]:
        """The small models that a question gets, by name."""
        amount = target.kind == "amount"
        probes: dict[str, Probe] = {"linear": Ridge() if amount else Logistic()}
        if self.trees and len(target.classes) <= self.trees_at_most:
            probes["trees"] = Trees("regression" if amount else "binary")
        return probes

    def _deals(self, target: Target, rows: np.ndarray) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Seed, mask of all customers held out (U,), and which of the rows are asked, for every fold."""
        for seed in range(self.n_seeds):
            folds = _dealt(target.truth[rows], self.n_folds, seed)
            for fold in range(self.n_folds):
                held = np.zeros(len(target.truth), dtype=bool)
                held[rows[folds == fold]] = True
                yield seed, held, np.flatnonzero(folds == fold)


def _dealt(truth: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """A fold for each customer; the answers to the first questions are spread evenly. Shape (N,)."""
    rng = np.random.default_rng(seed)
    kind = truth.argmax(axis=1) if truth.shape[1] > 1 else truth[:, 0] > np.median(truth[:, 0])
    order = np.lexsort((rng.random(len(truth)), kind))
    folds = np.empty(len(truth), dtype=np.int64)
    folds[order] = np.arange(len(truth)) % n_folds
    return folds
