import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from omniretail.models.uplift.class_transformation import ClassTransformation
from omniretail.models.uplift.lightgbm_t_learner import LightGBMTLearner
from omniretail.models.uplift.response import Response
from omniretail.models.uplift.s_learner import SLearner
from omniretail.models.uplift.t_learner import TLearner
from omniretail.models.uplift.x_learner import XLearner
from tests.models.uplift.factories import trial

LEARNERS = {
    "s": SLearner(LogisticRegression()),
    "t": TLearner(LogisticRegression()),
    "x": XLearner(LogisticRegression(), LinearRegression()),
    "class transformation": ClassTransformation(LogisticRegression()),
}


@pytest.mark.parametrize("share", [0.5, 0.2])
@pytest.mark.parametrize("name", LEARNERS)
def test_effects_are_recovered(name, share):
    x, treated, y, effect = trial(share=share)
    predicted = LEARNERS[name].fit(x, treated, y).predict(x)
    assert np.abs(predicted - effect).mean() < 0.03
    assert np.corrcoef(predicted, effect)[0, 1] > 0.95


def test_the_baseline_ranks_sure_things_instead():
    x, treated, y, effect = trial()
    score = Response(LogisticRegression()).fit(x, treated, y).predict(x)
    assert np.corrcoef(score, effect)[0, 1] < 0.8
    values = x.to_numpy()
    expected = LogisticRegression().fit(values[treated], y[treated]).predict_proba(values)[:, 1]
    np.testing.assert_allclose(score, expected)


@pytest.mark.parametrize("name", LEARNERS)
def test_a_group_in_which_nobody_buys_is_learned_too(name):
    x, treated, y, _ = trial(400)
    predicted = LEARNERS[name].fit(x, treated, y * treated).predict(x)
    assert predicted.mean() == pytest.approx(y[treated].mean(), abs=0.05)


def test_the_lightgbm_learner_predicts_the_chance_when_treated_too():
    x, treated, y, effect = trial()
    model = LightGBMTLearner().fit(x, treated, y)
    chance = 0.2 + 0.4 * x.sure + effect
    assert np.abs(model.predict_proba(x) - chance).mean() < 0.05


def test_columns_of_whole_numbers_and_of_truth_values_are_read_as_numbers():
    x, treated, y, _ = trial(2_000)
    mixed = x.assign(sure=(x.sure > 0.5), persuadable=(10 * x.persuadable).astype(int))
    plain = pd.DataFrame(mixed.astype(float), index=x.index)
    one, other = (LightGBMTLearner().fit(each, treated, y).predict(each) for each in (mixed, plain))
    np.testing.assert_array_equal(one, other)
