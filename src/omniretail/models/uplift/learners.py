"""Meta-learners: uplift from any scikit-learn classifier."""

from typing import Any, Self

import numpy as np
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from omniretail.models.uplift.protocol import both_groups, chance


class SLearner:
    """A single model with the treatment among its features; the uplift is what flipping it changes.

    The treatment is also multiplied with every feature, without which a linear model would give everybody the same.
    Künzel et al., "Metalearners for estimating heterogeneous treatment effects", PNAS 2019.

    Args:
        model: a scikit-learn classifier.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        self.model_ = _classifier(self.model, _crossed(x, both_groups(treated)), y)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """See ``UpliftModel``."""
        yes, no = (chance(self.model_, _crossed(x, np.full(len(x), sent))) for sent in (True, False))
        return yes - no


class TLearner:
    """Two models, one of the treated, one of the controls; the uplift is their difference (Künzel et al., 2019).

    Args:
        model: a scikit-learn classifier.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        given = both_groups(treated)
        self.treated_model_ = _classifier(self.model, x[given], y[given])
        self.control_model_ = _classifier(self.model, x[~given], y[~given])
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """See ``UpliftModel``."""
        return chance(self.treated_model_, x) - chance(self.control_model_, x)


class XLearner:
    """What each group's model says of the other group gives everybody an effect of their own, to be learned.

    The two answers are weighed by the share of the treated, so that the larger group's outcome model counts more
    (Künzel et al., 2019).

    Args:
        model: a scikit-learn classifier, of outcomes.
        effect: a scikit-learn regressor, of effects.
    """

    def __init__(self, model: Any, effect: Any) -> None:
        self.model = model
        self.effect = effect

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        given = both_groups(treated)
        outcomes = TLearner(self.model).fit(x, given, y)
        of_treated = y[given] - chance(outcomes.control_model_, x[given])
        of_controls = chance(outcomes.treated_model_, x[~given]) - y[~given]
        self.treated_effect_ = _regressor(self.effect, x[given], of_treated)
        self.control_effect_ = _regressor(self.effect, x[~given], of_controls)
        self.share_ = float(given.mean())
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """See ``UpliftModel``."""
        of_treated, of_controls = self.treated_effect_.predict(x), self.control_effect_.predict(x)
        return self.share_ * of_controls + (1 - self.share_) * of_treated


class ClassTransformation:
    """One model of whether the outcome is what an effect would have made it: acted if treated, not if not.

    Twice its probability minus one is the uplift where half are treated (Jaśkowski and Jaroszewicz, "Uplift modeling
    for clinical trial data", 2012); other shares are brought to a half by weights.

    Args:
        model: a scikit-learn classifier that takes weights.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        given = both_groups(treated)
        weight = np.where(given, 0.5 / given.mean(), 0.5 / (1 - given.mean()))
        outcome = (y == given).astype(int)
        self.model_ = _classifier(self.model, x, outcome, sample_weight=weight)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """See ``UpliftModel``."""
        return 2 * chance(self.model_, x) - 1


class Response:
    """The baseline that is used most: who acts when treated, whether or not the treatment is why.

    Args:
        model: a scikit-learn classifier.
    """

    def __init__(self, model: Any) -> None:
        self.model = model

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        given = both_groups(treated)
        self.model_ = _classifier(self.model, x[given], y[given])
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """P(acts | treated), which ranks but is no uplift; shape (N,)."""
        return chance(self.model_, x)


class Random:
    """The control: a random order.

    Args:
        seed: of the order.
    """

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """See ``UpliftModel``."""
        both_groups(treated)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Random numbers, the same for as many customers; shape (N,)."""
        return np.random.default_rng(self.seed).random(len(x))


def _classifier(model: Any, x: np.ndarray, y: np.ndarray, **weights: np.ndarray) -> Any:
    """A fitted copy; where all did the same, one that says so, for many classifiers refuse to learn that."""
    fresh: Any = clone(model) if len(np.unique(y)) > 1 else DummyClassifier()
    return fresh.fit(x, y, **weights)


def _regressor(model: Any, x: np.ndarray, y: np.ndarray) -> Any:
    fresh: Any = clone(model)
    return fresh.fit(x, y)


def _crossed(x: np.ndarray, treated: np.ndarray) -> np.ndarray:
    return np.column_stack([x, treated, x * treated[:, None]])
