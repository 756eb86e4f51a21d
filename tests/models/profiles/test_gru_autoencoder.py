from pathlib import Path
from typing import Any

import pytest

from omniretail.config import compose
from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.profiles.gru_autoencoder import GRUAutoencoder
from omniretail.models.training import Training
from tests.models.profiles import checks
from tests.models.profiles.shop import KIND, KINDS, kind_of_the_nearest


def small(epochs: int = 2, **settings: Any) -> GRUAutoencoder:
    settings_of_a_small_one = {
        "dim": 8,
        "width": 8,
        "hidden": 16,
        "max_len": 6,
        "batch_baskets": 100,
        "learning_rate": 0.01,
    }
    return GRUAutoencoder(**(settings_of_a_small_one | settings), training=Training(max_epochs=epochs))


def test_customers_of_one_kind_are_nearest_to_each_other() -> None:
    vectors = small(15).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert kind_of_the_nearest(vectors, KIND) > 0.9


def test_it_learns_to_reconstruct_the_baskets() -> None:
    losses: list[float] = []
    with on_epoch(lambda _, figures: losses.append(figures["train_loss"])):
        small(15).fit(KINDS)
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize("train", checks.TRAINS.values(), ids=checks.TRAINS)
def test_embeds_every_kind_of_history(train: Any) -> None:
    checks.embeds_every_kind_of_history(small, train)


def test_a_row_depends_on_its_customer_alone() -> None:
    checks.a_row_depends_on_its_customer_alone(small)


def test_the_seed_decides() -> None:
    checks.seed_decides(small)


def test_saved_and_loaded_gives_equal_vectors(tmp_path: Path) -> None:
    checks.saved_and_loaded_gives_equal_vectors(small, tmp_path)


def test_an_inner_validation_is_refused() -> None:
    with pytest.raises(ValueError, match=r"training=.*must have patience 0.*set trainer.patience=0"):
        GRUAutoencoder(training=Training(patience=2))


def test_the_yaml_sets_the_epochs_and_can_be_overridden() -> None:
    assert compose("model=profile/gru_autoencoder").model.training.max_epochs < 100
    assert compose("model=profile/gru_autoencoder", "trainer.max_epochs=7").model.training.max_epochs == 7
