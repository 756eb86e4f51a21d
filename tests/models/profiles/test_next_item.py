from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omniretail.config import compose
from omniretail.models.profiles.next_item import NextItem
from omniretail.models.training import Training
from tests.models.profiles import contract as promises
from tests.models.profiles.shop import KIND, KINDS, kind_is_told


def small(epochs: int = 2, **settings: Any) -> NextItem:
    usual = {"dim": 16, "n_blocks": 1, "max_len": 12, "batch_events": 128, "learning_rate": 0.01}
    return NextItem(**(usual | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize("pooling", ["mean", "last", "both"])
def test_customers_of_one_kind_come_together(pooling: Any) -> None:
    vectors = small(10, pooling=pooling).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert vectors.shape == (60, 32 if pooling == "both" else 16)
    assert kind_is_told(vectors, KIND) > 0.9


@pytest.mark.parametrize("train", promises.TRAINS.values(), ids=promises.TRAINS)
def test_embeds_whoever_comes(train: Any) -> None:
    promises.embeds_whoever_comes(small, train)


def test_rows_depend_on_themselves_alone() -> None:
    promises.rows_depend_on_themselves_alone(small)


def test_the_seed_decides() -> None:
    promises.seed_decides(small)


def test_saved_it_embeds_alike(tmp_path: Path) -> None:
    promises.saved_it_embeds_alike(small, tmp_path)


def test_pooling_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pooling='max' is not one of mean, last, both"):
        small(pooling="max").fit(KINDS)


def test_patience_watches_the_next_basket() -> None:
    model = small()
    model.training = Training(max_epochs=3, patience=2)
    assert np.isfinite(model.fit(KINDS).embed(KINDS.histories, KINDS.at)).all()


def test_the_yaml_says_how_long_to_train_and_can_be_overruled() -> None:
    assert compose("model=profile/next_item").model.training.max_epochs < 100
    assert compose("model=profile/next_item", "trainer.max_epochs=7").model.training.max_epochs == 7
