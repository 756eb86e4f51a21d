from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omniretail.config import compose
from omniretail.models.profiles.coles import CoLES
from omniretail.models.training import Training, TrainingError
from tests.models.profiles import contract as promises
from tests.models.profiles.shop import KIND, KINDS, kind_is_told


def small(epochs: int = 2, **settings: Any) -> CoLES:
    usual = {"dim": 16, "width": 8, "min_len": 2, "max_len": 6, "batch_size": 20, "learning_rate": 0.01}
    return CoLES(**(usual | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize(
    "settings", [{}, {"loss": "margin"}, {"pooling": "mean"}], ids=["default", "margin", "mean of states"]
)
def test_customers_of_one_kind_come_together(settings: dict[str, Any]) -> None:
    vectors = small(15, **settings).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert kind_is_told(vectors, KIND) > 0.9
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("train", promises.TRAINS.values(), ids=promises.TRAINS)
def test_embeds_whoever_comes(train: Any) -> None:
    promises.embeds_whoever_comes(small, train)


def test_rows_depend_on_themselves_alone() -> None:
    promises.rows_depend_on_themselves_alone(small)


def test_the_seed_decides() -> None:
    promises.seed_decides(small)


def test_saved_it_embeds_alike(tmp_path: Path) -> None:
    promises.saved_it_embeds_alike(small, tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "hinge"}, "loss='hinge'"),
        ({"pooling": "max"}, "pooling='max'"),
        ({"views": 1}, "views is 2 or more"),
        ({"min_len": 7}, "at most max_len"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        small(**settings).fit(KINDS)


def test_there_is_no_validation() -> None:
    model = small()
    model.training = Training(patience=2)
    with pytest.raises(TrainingError, match=r"set trainer.patience=0"):
        model.fit(KINDS)


def test_the_yaml_says_how_long_to_train_and_can_be_overruled() -> None:
    assert compose("model=profile/coles").model.training.max_epochs < 100
    assert compose("model=profile/coles", "trainer.max_epochs=7").model.training.max_epochs == 7
