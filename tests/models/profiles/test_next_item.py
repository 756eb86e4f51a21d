from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omniretail.config import compose
from omniretail.core.epoch_hooks import on_epoch
from omniretail.models.profiles.next_item import NextItem
from omniretail.models.training import Training
from omniretail.models.training.inner_validation import hold_out, mean_metrics
from tests.models.profiles import checks
from tests.models.profiles.shop import KIND, KINDS, kind_of_the_nearest


def small(epochs: int = 2, **settings: Any) -> NextItem:
    settings_of_a_small_one = {"dim": 16, "n_blocks": 1, "max_len": 12, "batch_events": 128, "learning_rate": 0.01}
    return NextItem(**(settings_of_a_small_one | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize("pooling", ["mean", "last", "both"])
def test_customers_of_one_kind_are_nearest_to_each_other(pooling: Any) -> None:
    vectors = small(10, pooling=pooling).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert vectors.shape == (60, 32 if pooling == "both" else 16)
    assert kind_of_the_nearest(vectors, KIND) > 0.9


@pytest.mark.parametrize("train", checks.TRAINS.values(), ids=checks.TRAINS)
def test_embeds_every_kind_of_history(train: Any) -> None:
    checks.embeds_every_kind_of_history(small, train)


def test_a_row_depends_on_its_customer_alone() -> None:
    checks.a_row_depends_on_its_customer_alone(small)


def test_the_seed_decides() -> None:
    checks.seed_decides(small)


def test_saved_and_loaded_gives_equal_vectors(tmp_path: Path) -> None:
    checks.saved_and_loaded_gives_equal_vectors(small, tmp_path)


def test_pooling_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"pooling='max' must be one of mean, last, both"):
        small(pooling="max")


def test_patience_stops_after_epochs_without_a_better_ranking_and_restores_the_best() -> None:
    ndcg: list[float] = []
    training = Training(max_epochs=40, patience=2, monitor="ndcg_at_10")
    model = small(learning_rate=0.03)
    model.training = training
    with on_epoch(lambda _, metrics: ndcg.append(metrics["val_ndcg_at_10"])):
        model.fit(KINDS)
    best = int(np.argmax(ndcg))
    assert len(ndcg) == best + 1 + training.patience < training.max_epochs
    _, inner = hold_out(KINDS.histories, training.validation_users, model.seed)
    assert mean_metrics(inner.evaluate_users(model._network))["val_ndcg_at_10"] == pytest.approx(ndcg[best])
    assert ndcg[best] > max(ndcg[0], ndcg[-1]) + 1e-6, "neither the first weights nor the last"


def test_the_yaml_sets_the_epochs_and_can_be_overridden() -> None:
    assert compose("model=profile/next_item").model.training.max_epochs < 100
    assert compose("model=profile/next_item", "trainer.max_epochs=7").model.training.max_epochs == 7
