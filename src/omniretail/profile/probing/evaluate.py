"""Fit, embed, ask: one encoder at one stage."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from omniretail.core.resources import Cost, metered
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.profile.probing.cross_fitting import CrossFitting, ProbePredictions
from omniretail.profile.probing.figures import ProbeResult, figures_of
from omniretail.profile.probing.targets import Target, behaviour, facts
from omniretail.profile.windows import TwoWindows, aligned, two_windows
from omniretail.schema import Tables
from omniretail.splits.cutoff import Split, Stage


@dataclass(frozen=True)
class Probes:
    """How every encoder of a comparison is questioned.

    Args:
        protocol: who learns and who is asked.
        facts: name of a question -> column of the user table; columns that are not there are passed over.
        levels: name of a question -> column of the item table: what will be bought.
        at_least: customers behind each class of a fact.
        at_least_buyers: customers who buy, and who do not buy, a word of a level.
    """

    protocol: CrossFitting = CrossFitting()  # noqa: RUF009  (frozen)
    facts: Mapping[str, str] = field(default_factory=dict)
    levels: Mapping[str, str] = field(default_factory=dict)
    at_least: int = 10
    at_least_buyers: int = 50

    def take(self, model: ProfileEncoder, tables: Tables, split: Split, stage: Stage, cache: Path) -> "Examined":
        """Fit the encoder on what lies before the earlier cutoff, and ask what its embeddings know at the later one.

        Raises:
            DataError: where the data does not allow it.
            ValueError: where embeddings are not finite.
        """
        looks = two_windows(tables, split, stage, cache)
        with metered() as fitting:
            model.fit(looks.before)
        before, now, embedding = embedded(model, looks)
        questions = list(self._questions(looks))
        answers = [
            self.protocol.ask(learned, judged, before if judged.kind != "fact" else now, now)
            for learned, judged in questions
        ]
        figures, said = figures_of(answers, looks.now.users.ids.to_numpy())
        result = ProbeResult(
            model=getattr(model, "label", type(model).__name__),
            stage=stage,
            figures=figures,
            answers=said,
            left_out={each.target.name: dict(each.target.left_out) for each in answers},
            dim=now.shape[1],
            fit_s=fitting.seconds,
            embed_s=embedding.seconds,
            peak_memory_mb=max(fitting.peak_memory_mb, embedding.peak_memory_mb),
        )
        return Examined(result, looks, before, [learned for learned, _ in questions], answers)

    def _questions(self, looks: TwoWindows) -> list[tuple[Target, Target]]:
        """What to learn from and what to judge by; one of each per question."""
        known = [(fact, fact) for fact in facts(looks.now.user_table, self.facts, self.at_least)]
        learned, judged = (
            behaviour(window, looks.now.users, looks.now.item_table, self.levels, self.at_least_buyers)
            for window in (looks.window_before, looks.window)
        )
        return known + [_same_classes(a, b) for a, b in zip(learned, judged, strict=True)]


@dataclass(frozen=True)
class Examined:
    """What an examination found, and what it found it by.

    Attributes:
        result: the figures.
        looks: what encoder and probes knew.
        before: embeddings a window earlier, NaN rows for customers who were not there yet; shape (U, D).
        learned: per question, the answers that probes learned from.
        answers: per question, what they said of customers they did not learn from.
    """

    result: ProbeResult
    looks: TwoWindows
    before: np.ndarray
    learned: list[Target]
    answers: list[ProbePredictions]


def embedded(model: ProfileEncoder, looks: TwoWindows) -> tuple[np.ndarray, np.ndarray, Cost]:
    """Embeddings of all customers judged: a window earlier (NaN rows where not there yet), and now; both (U, D).

    Raises:
        ValueError: where they are not finite.
    """
    with metered() as cost:
        now = model.embed(aligned(looks.now, looks.before), looks.now.at).astype(np.float64)
    known = looks.now.users.encode(looks.before.users.ids.to_numpy())
    before = np.full(now.shape, np.nan)
    before[known] = model.embed(looks.before.histories, looks.before.at)
    if not (np.isfinite(now).all() and np.isfinite(before[known]).all()):
        raise ValueError(f"{type(model).__name__} gave embeddings that are not finite")
    return before, now, cost


def _same_classes(learned: Target, judged: Target) -> tuple[Target, Target]:
    """Both with the classes that both have, in one order."""
    classes = [name for name in judged.classes if name in set(learned.classes)]
    return _only(learned, classes), _only(judged, classes)


def _only(target: Target, classes: list[str]) -> Target:
    columns = [target.classes.index(name) for name in classes]
    return replace(target, classes=classes, truth=target.truth[:, columns])
