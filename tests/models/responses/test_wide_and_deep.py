import numpy as np
import pandas as pd

from omniretail.metrics.classification import auc
from omniretail.models.responses.wide_and_deep import WideAndDeep
from omniretail.models.training import Training

VALUES = ("bread", "milk", "tea", "wine")


def matched(n: int = 1500, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers redeem where they buy what is offered; neither side alone says anything, nor does the kind."""
    rng = np.random.default_rng(seed)
    bought, offered = np.eye(4)[rng.integers(0, 4, n)], np.eye(4)[rng.integers(0, 4, n)]
    sides = {"bought_share_of_": bought, "offered_share_of_": offered}
    frame = pd.DataFrame({f"{side}{v}": x[:, i] for side, x in sides.items() for i, v in enumerate(VALUES)})
    acts = rng.random(n) < 0.1 + 0.6 * (bought * offered).sum(axis=1)
    return frame.assign(kind=rng.choice(["A", "B"], n)), acts.astype(float)


def test_the_match_of_purchases_and_offer_is_learned() -> None:
    rows, y = matched()
    model = WideAndDeep(dim=4, wide_ridge=0.001, deep_ridge=0.001, dropout=0.1, training=Training(max_epochs=30))
    chances = model.fit(rows[:1000], y[:1000]).predict_proba(rows[1000:])
    assert auc(y[1000:, None], chances[:, None])[0] > 0.75
    assert model.attribute_values_.tolist() == list(VALUES)


def test_the_embeddings_keep_the_angles_between_customers() -> None:
    rows, y = matched()
    model = WideAndDeep(dim=4, training=Training(max_epochs=1)).fit(rows, y)
    _, bought, _ = model._inputs(rows)
    assert set(np.unique(bought)) == {0.0, 1.0}
    space = model.weights_["space"]
    assert np.linalg.matrix_rank(space) == 4
