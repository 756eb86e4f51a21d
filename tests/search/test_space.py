"""Spaces: what they allow, and every mistake in one said by name."""

from typing import Any

import pytest

from omniretail.core.errors import SettingsError
from omniretail.search.space import Dimension, combinations, dimensions, in_words

SETTINGS = {"model": {"l2": 200.0, "weighting": "binary", "encoder": {"dim": 32}, "params": None}}


def space(**model: Any) -> list[Dimension]:
    return dimensions({"model": model}, SETTINGS)


def test_leaves_are_ranges_and_choices() -> None:
    l2, weighting, dim = space(
        l2={"low": 1.0, "high": 100.0, "log": True},
        weighting={"choices": ["binary", "log"]},
        encoder={"dim": {"low": 8, "high": 64}},
    )
    assert (l2.name, l2.log, l2.whole, l2.contains(1.0), l2.contains(101.0)) == ("model.l2", True, False, True, False)
    assert (weighting.contains("log"), weighting.contains("count")) == (True, False)
    assert (dim.name, dim.whole, dim.contains(9), dim.contains(9.5)) == ("model.encoder.dim", True, True, False)


def test_parameters_that_only_the_model_knows_pass() -> None:
    assert space(params={"n_layers": {"low": 1, "high": 3}})[0].name == "model.params.n_layers"


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"l3": {"low": 1, "high": 2}}, "no setting model.l3; did you mean model.l2"),
        ({"l2": {"low": 9.0, "high": 1.0}}, "low 9 is above high 1; write search.space.model.l2.low=1.0"),
        ({"l2": {"low": 0.0, "high": 1.0, "log": True}}, "search.space.model.l2.log=false"),
        ({"l2": {"low": 1.0}}, r"add \+search.space.model.l2.high="),
        ({"l2": {"low": 1.0, "high": 2.0, "lag": True}}, "has lag; a range has low, high, log and int alone"),
        ({"l2": {"low": "few", "high": 2.0}}, "low=few is no number"),
        ({"l2": 3}, "search.space.model.l2=3 is no range"),
        ({"weighting": {"choices": []}}, "choices are a list"),
        ({"weighting": {"choices": ["log"], "low": 1}}, "stand alone"),
        ({"weighting": {"heavy": {"low": 1, "high": 2}}}, "no setting model.weighting.heavy"),
    ],
)
def test_mistakes_are_said_by_name(model: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        space(**model)


@pytest.mark.parametrize(
    ("dimension", "value", "wider"),
    [
        (Dimension("model.l2", 1.0, 10_000.0, log=True), 9_900.0, ("high", 1_000_000.0)),
        (Dimension("model.l2", 1.0, 10_000.0, log=True), 1.01, ("low", 0.01)),
        (Dimension("model.l2", 1.0, 10_000.0, log=True), 100.0, None),
        (Dimension("model.k", 1, 9, whole=True), 9, ("high", 17)),
        (Dimension("model.k", 1, 9, whole=True), 8, None),
        (Dimension("model.k", 1, 100, log=True, whole=True), 1, None),  # no whole number lies below
        (Dimension("model.alpha", 0.0, 1.0), 0.0, None),  # neither does a number that is no negative one
        (Dimension("model.alpha", choices=(1, 2)), 2, None),
    ],
)
def test_a_value_at_the_edge_has_a_wider_range(dimension: Dimension, value: float, wider: object) -> None:
    assert dimension.wider(value) == wider


def test_few_trials_are_counted() -> None:
    both = space(weighting={"choices": ["binary", "log"]}, encoder={"dim": {"low": 1, "high": 3}})
    assert len(combinations(both, 6)) == 6
    assert combinations(both, 5) == []
    assert combinations(space(l2={"low": 1.0, "high": 2.0}), 100) == []
    assert combinations([], 5) == [{}]


def test_settings_in_a_line() -> None:
    assert in_words({"model.l2": 300.0, "trainer.max_epochs": 5, "model.t": None}) == "l2=300 max_epochs=5 t=None"
