from pathlib import Path
from typing import Any

import pytest

from omniretail.config import compose
from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.profiles.gru_autoencoder import GRUAutoencoder
from omniretail.models.training import Training, TrainingError
from tests.models.profiles import contract as promises
from tests.models.profiles.shop import KIND, KINDS, kind_is_told


def small(epochs: int = 2, **settings: Any) -> GRUAutoencoder:
    usual = {"dim": 8, "width": 8, "hidden": 16, "max_len": 6, "batch_baskets": 100, "learning_rate": 0.01}
    return GRUAutoencoder(**(usual | settings), training=Training(max_epochs=epochs))


def test_customers_of_one_kind_come_together() -> None:
    vectors = small(15).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert kind_is_told(vectors, KIND) > 0.9


def test_it_learns_to_tell_the_baskets_again() -> None:
    losses: list[float] = []
    with on_epoch(lambda _, figures: losses.append(figures["train_loss"])):
        small(15).fit(KINDS)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("train", promises.TRAINS.values(), ids=promises.TRAINS)
def test_embeds_whoever_comes(train: Any) -> None:
    promises.embeds_whoever_comes(small, train)


def test_rows_depend_on_themselves_alone() -> None:
    promises.rows_depend_on_themselves_alone(small)


def test_the_seed_decides() -> None:
    promises.seed_decides(small)


def test_saved_it_embeds_alike(tmp_path: Path) -> None:
    promises.saved_it_embeds_alike(small, tmp_path)


def test_there_is_no_validation() -> None:
    model = small()
    model.training = Training(patience=2)
    with pytest.raises(TrainingError, match=r"set trainer.patience=0"):
        model.fit(KINDS)


def test_the_yaml_says_how_long_to_train_and_can_be_overruled() -> None:
    assert compose("model=profile/gru_autoencoder").model.training.max_epochs < 100
    assert compose("model=profile/gru_autoencoder", "trainer.max_epochs=7").model.training.max_epochs == 7
