import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from sklearn.linear_model import LinearRegression, LogisticRegression

from omniretail.config import compose
from omniretail.models.saving import load, save
from omniretail.models.uplift.learners import ClassTransformation, Random, Response, SLearner, TLearner, XLearner
from omniretail.models.uplift.lightgbm_t_learner import LightGBMTLearner
from tests.conftest import ROOT

LEARNERS = {
    "s": SLearner(LogisticRegression()),
    "t": TLearner(LogisticRegression()),
    "x": XLearner(LogisticRegression(), LinearRegression()),
    "class transformation": ClassTransformation(LogisticRegression()),
}
FILES = sorted(file.stem for file in (ROOT / "configs" / "model" / "uplift").glob("*.yaml"))


def trial(n: int = 20_000, share: float = 0.5, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The first feature makes the effect, the second who buys anyway."""
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2))
    treated = rng.random(n) < share
    effect = 0.4 * (x[:, 0] - 0.25)
    return x, treated, (rng.random(n) < 0.2 + 0.4 * x[:, 1] + effect * treated).astype(int), effect


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("name", LEARNERS)
def test_effects_are_found_again(name, share):
    x, treated, y, effect = trial(share=share)
    said = LEARNERS[name].fit(x, treated, y).predict(x)
    assert np.abs(said - effect).mean() < 0.03
    assert np.corrcoef(said, effect)[0, 1] > 0.95


def test_the_baseline_finds_buyers_instead():
    x, treated, y, effect = trial()
    said = Response(LogisticRegression()).fit(x, treated, y).predict(x)
    assert np.corrcoef(said, effect)[0, 1] < 0.8
    np.testing.assert_allclose(said, LogisticRegression().fit(x[treated], y[treated]).predict_proba(x)[:, 1])


@pytest.mark.parametrize("file", FILES)
def test_every_yaml_learns_the_same_twice(file):
    x, treated, y, _ = trial(600)
    first, second = (
        instantiate(compose(f"model=uplift/{file}").model).fit(x, treated, y).predict(x[:50]) for _ in range(2)
    )
    assert first.shape == (50,)
    assert np.isfinite(first).all()
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("model", [*LEARNERS.values(), Response(LogisticRegression()), Random(), LightGBMTLearner()])
def test_treatment_given_to_all_or_to_none_is_said(model):
    x, _, y, _ = trial(100)
    for treated, who in ((np.ones(100, bool), "everybody"), (np.zeros(100, bool), "nobody")):
        with pytest.raises(ValueError, match=f"{who} was treated"):
            model.fit(x, treated, y)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_group_in_which_nobody_buys_is_learned_too(name):
    x, treated, y, _ = trial(400)
    said = LEARNERS[name].fit(x, treated, y * treated).predict(x)
    assert said.mean() == pytest.approx(y[treated].mean(), abs=0.05)


def test_two_forests_find_the_effect_and_answer_a_service(tmp_path):
    x, treated, y, effect = trial()
    model = LightGBMTLearner().fit(x, treated, y)
    assert np.corrcoef(model.predict(x), effect)[0, 1] > 0.8
    save(model, tmp_path)
    rows = pd.DataFrame(x[:50], columns=["a", "b"])
    np.testing.assert_array_equal(load(tmp_path).predict_uplift(rows), model.predict(x[:50]))
    assert np.abs(model.predict_proba(rows) - (0.2 + 0.4 * x[:50, 1] + effect[:50])).mean() < 0.1
