"""The protocol: who learns, who is asked, by which probes; and the figures made of the answers."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from omniretail.profile.probing.cross_fitting import CrossFitting, ProbePredictions
from omniretail.profile.probing.figures import BLEND, figures_of, measure
from omniretail.profile.probing.probe_models import Logistic, Probe, Ridge, Trees
from omniretail.profile.probing.targets import Target

N = 200


def target(truth: np.ndarray, kind: str = "event", name: str = "churn") -> Target:
    return Target(name, kind, [f"class {n}" for n in range(truth.shape[1])], truth, {})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Nosy(CrossFitting):
    """Its probe answers 1 for customers (the first number of x) that it learned from, and counts its teachers."""

    def probes(self, target: Target) -> dict[str, Probe]:
        def met(x: np.ndarray, y: np.ndarray, asked: np.ndarray, seed: int) -> np.ndarray:
            known = np.isin(asked[:, 0], x[:, 0]).astype(float)
            return np.stack([known, np.full(len(asked), len(x)), np.full(len(asked), np.nanmax(x))], axis=1)

        return {"nosy": met}


def numbered() -> np.ndarray:
    return np.arange(float(N))[:, None]


def test_nobody_is_asked_by_a_probe_that_learned_from_them():
    asked = target(np.tile(np.eye(3), (67, 1))[:N])
    answers = Nosy(n_seeds=3, n_folds=4).ask(asked, asked, numbered(), numbered())
    scores = answers.by_probe["nosy"]
    assert scores.shape == (3, N, 3)
    assert scores[..., 0].sum() == 0
    assert set(scores[..., 1].ravel()) == {150}, "the other three folds"


def test_who_was_not_there_or_did_not_say_teaches_nobody():
    before, truth = numbered(), np.tile(np.eye(3), (67, 1))[:N]
    before[:50] = np.nan  # not there yet
    learned = truth.copy()
    learned[50:100] = np.nan  # did not say then
    judged = truth.copy()
    judged[150:] = np.nan  # do not say now
    answers = Nosy(n_seeds=1, n_folds=5).ask(target(learned), target(judged), before, numbered())
    assert answers.rows.tolist() == list(range(150))
    assert len(answers.truth) == 150
    scores = answers.by_probe["nosy"][0]
    assert scores[:, 0].sum() == 0
    assert scores[:, 1].min() >= 80
    assert scores[:, 1].max() <= 100, "100 to 149, less their folds, and 150 to 199, whom nobody asks"


def test_probes_are_linear_and_trees_unless_the_columns_are_many():
    few, many = target(np.zeros((4, 2))), target(np.zeros((4, 3)))
    protocol = CrossFitting(trees_at_most=2)
    assert protocol.probes(few) == {"linear": Logistic(), "trees": Trees("binary")}
    assert protocol.probes(many) == {"linear": Logistic()}
    assert CrossFitting(trees=False).probes(few) == {"linear": Logistic()}
    amount = Target("spend", "amount", ["paid"], np.zeros((4, 1)), {})
    assert protocol.probes(amount) == {"linear": Ridge(), "trees": Trees("regression")}


def test_what_an_embedding_holds_is_found_and_what_it_lacks_is_not():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 3))
    truth = np.stack([x[:, 0] > 0, rng.random(400) > 0.5], axis=1).astype(float)
    asked = target(truth)
    answers = CrossFitting(n_seeds=1).ask(asked, asked, x, x)
    for scores in answers.by_probe.values():
        assert measure("event", truth[:, :1], scores[0][:, :1]) > 0.95
        assert abs(measure("event", truth[:, 1:], scores[0][:, 1:]) - 0.5) < 0.1


def test_measures_by_hand():
    truth = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 1.0]])
    scores = np.array([[0.9, 0.1, 0.5], [0.1, 0.7, 0.5], [0.2, 0.3, 0.5]])
    assert measure("event", truth, scores) == 0.75, "mean of 1 and 1/2; the third has no AUC"
    assert measure("amount", np.array([[1.0], [2.0], [9.0]]), np.array([[5.0], [6.0], [7.0]])) == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "truth", "scores"),
    [
        ("event", [[1.0], [1.0]], [[0.2], [0.3]]),
        ("amount", [[0.0], [0.0]], [[0.2], [0.3]]),
        ("amount", [[1.0], [2.0]], [[0.3], [0.3]]),
    ],
)
def test_a_measure_that_is_not_defined_is_not_a_number(kind: str, truth: list, scores: list):
    assert np.isnan(measure(kind, np.array(truth), np.array(scores)))


@pytest.mark.parametrize("kind", ["event", "fact", "amount"])
def test_a_question_to_which_all_answer_alike_has_no_figure_and_breaks_nothing(kind: str):
    alike = target(np.ones((N, 1)), kind)
    answers = CrossFitting(n_seeds=1).ask(alike, alike, numbered(), numbered())
    assert all(np.isfinite(scores).all() for scores in answers.by_probe.values())
    figures, _ = figures_of([answers], np.arange(N))
    assert figures.value.isna().all()
    assert (figures.customers == N).all()


def test_the_blend_is_the_mean_of_the_probes_and_questions_without_classes_are_left_out():
    rng = np.random.default_rng(0)
    truth = (rng.random((60, 1)) > 0.5).astype(float)
    good, bad = truth[None] + rng.normal(0, 0.5, (2, 60, 1)), rng.random((2, 60, 1))
    rows = np.arange(10, 70)
    judged = target(np.concatenate([np.full((10, 1), np.nan), truth]))
    answers = ProbePredictions(judged, rows, {"linear": good, "trees": bad})
    empty = ProbePredictions(
        replace(judged, classes=[], truth=np.zeros((70, 0))), rows, {"linear": np.zeros((2, 60, 0))}
    )
    nobody = ProbePredictions(judged, rows[:0], {"linear": np.zeros((2, 0, 1))})
    figures, said = figures_of([empty, nobody, answers], np.arange(1000, 1070))
    assert figures.probe.tolist() == [BLEND, "linear", "trees"]
    by_probe = figures.set_index("probe")
    blend = (good + bad) / 2
    assert by_probe.value["blend"] == pytest.approx(np.mean([measure("event", truth, each) for each in blend]))
    assert by_probe.value["linear"] > by_probe.value["trees"]
    assert by_probe.low["blend"] < by_probe.value["blend"] < by_probe.high["blend"]
    assert by_probe.customers.tolist() == [60] * 3
    assert said.user_id.tolist() == list(range(1010, 1070))
    np.testing.assert_allclose(said.score, blend.mean(axis=0)[:, 0], rtol=1e-6)
    np.testing.assert_array_equal(said.truth, truth[:, 0])
