"""What an uplift model promises. There is nothing to inherit: a class with these methods is a model."""

from typing import Any, Protocol, Self

import numpy as np


class UpliftModel(Protocol):
    """Says for each customer how much likelier they are to act if treated than if not."""

    def fit(self, x: np.ndarray, treated: np.ndarray, y: np.ndarray) -> Self:
        """Learn from an experiment with a random control group.

        Args:
            x: features, known before the treatment; shape (N, D).
            treated: True where treated; shape (N,).
            y: 1 where they acted, else 0; shape (N,).

        Raises:
            ValueError: where everybody was treated, or nobody.
        """
        ...

    def predict(self, x: np.ndarray) -> np.ndarray:
        """P(acts | treated) minus P(acts | not treated), or a score that ranks like it; shape (N,)."""
        ...


def both_groups(treated: np.ndarray) -> np.ndarray:
    """The mask of the treated, checked.

    Raises:
        ValueError: where everybody was treated, or nobody.
    """
    given = np.asarray(treated, dtype=bool)
    if given.all() or not given.any():
        who = "everybody" if len(given) and given.all() else "nobody"
        raise ValueError(f"{who} was treated: an effect can be learned only beside a control group")
    return given


def chance(classifier: Any, x: np.ndarray) -> np.ndarray:
    """P(acts) from a fitted scikit-learn classifier, also where it met one outcome only; shape (N,)."""
    place = np.flatnonzero(classifier.classes_ == 1)
    return classifier.predict_proba(x)[:, place[0]] if len(place) else np.zeros(len(x))
