from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omniretail.config import compose
from omniretail.models.profiles.coles import CoLES
from omniretail.models.training import Training
from tests.models.profiles import checks
from tests.models.profiles.shop import KIND, KINDS, kind_of_the_nearest


def small(epochs: int = 2, **settings: Any) -> CoLES:
    settings_of_a_small_one = {
        "dim": 16,
        "width": 8,
        "min_len": 2,
        "max_len": 6,
        "batch_size": 20,
        "learning_rate": 0.01,
    }
    return CoLES(**(settings_of_a_small_one | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize(
    "settings", [{}, {"loss": "margin"}, {"pooling": "mean"}], ids=["default", "margin", "mean of states"]
)
def test_customers_of_one_kind_are_nearest_to_each_other(settings: dict[str, Any]) -> None:
    vectors = small(15, **settings).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert kind_of_the_nearest(vectors, KIND) > 0.9
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("train", checks.TRAINS.values(), ids=checks.TRAINS)
def test_embeds_every_kind_of_history(train: Any) -> None:
    checks.embeds_every_kind_of_history(small, train)


def test_a_row_depends_on_its_customer_alone() -> None:
    checks.a_row_depends_on_its_customer_alone(small)


def test_the_seed_decides() -> None:
    checks.seed_decides(small)


def test_saved_and_loaded_gives_equal_vectors(tmp_path: Path) -> None:
    checks.saved_and_loaded_gives_equal_vectors(small, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "hinge"}, "loss='hinge' must be one of softmax, margin"),
        ({"pooling": "max"}, "pooling='max' must be one of last, mean"),
        ({"views": 1}, "views=1 must be 2 or more"),
        ({"min_len": 7}, "min_len=7 must be at most max_len=6"),
        ({"temperature": 0}, "temperature=0 must be above 0"),
        ({"dropout": 1.5}, "dropout=1.5 must lie between 0 and 1"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**settings)


def test_an_inner_validation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"training=.*must have patience 0.*set trainer.patience=0"):
        CoLES(training=Training(patience=2))


def test_the_yaml_sets_the_epochs_and_can_be_overridden() -> None:
    assert compose("model=profile/coles").model.training.max_epochs < 100
    assert compose("model=profile/coles", "trainer.max_epochs=7").model.training.max_epochs == 7
