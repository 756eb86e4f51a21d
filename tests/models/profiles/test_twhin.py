from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omniretail.config import compose
from omniretail.models.profiles.twhin import TwHIN
from omniretail.models.training import Training
from omniretail.views.histories import Histories
from omniretail.views.profile.graph_edges import Edges
from tests.models.profiles import checks
from tests.models.profiles.shop import KIND, KINDS, kind_of_the_nearest


def small(epochs: int = 2, **settings: Any) -> TwHIN:
    settings_of_a_small_one = {"dim": 16, "n_targets": 8, "batch_size": 20, "learning_rate": 0.02}
    return TwHIN(**(settings_of_a_small_one | settings), training=Training(max_epochs=epochs))


@pytest.mark.parametrize("settings", [{}, {"translate": False}, {"levels": [], "n_negatives": 5}])
def test_customers_of_one_kind_are_nearest_to_each_other(settings: dict[str, Any]) -> None:
    vectors = small(15, **settings).fit(KINDS).embed(KINDS.histories, KINDS.at)
    assert kind_of_the_nearest(vectors, KIND) > 0.9


def test_items_of_one_department_are_nearest_to_each_other() -> None:
    model = small(15).fit(KINDS)
    items = model.weights_["nodes.neighbours.weight"][: len(KINDS.items)]
    assert kind_of_the_nearest(items, np.arange(len(items)) % 2) > 0.9


def test_edges_count_events_and_leave_out_unknown_stores() -> None:
    edges = Edges.of(Histories.of([[[3], [3, 1]], []], n_items=5), n_stores=2)
    assert edges.offsets.tolist() == [0, 2, 2]
    assert edges.node.tolist() == [1, 3]
    assert edges.weight.tolist() == pytest.approx(np.log([2, 3]).tolist())
    visited = Edges.of(KINDS.histories.take([0]), n_stores=3)
    n_items, own = len(KINDS.items), KINDS.histories.take([0]).store
    assert visited.node[visited.node >= n_items].tolist() == (n_items + np.unique(own)).tolist()
    assert visited.weight[-1] == pytest.approx(np.log1p((own == own.max()).sum()))


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
        ({"dim": 0}, "dim=0 must be 1 or more"),
        ({"store_weight": -1}, "store_weight=-1 must be 0 or more"),
        ({"training": Training(patience=1)}, "must have patience 0, since the model ranks no items"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TwHIN(**settings)


def test_the_trainer_reaches_the_model() -> None:
    assert compose("model=profile/graph").model.training.max_epochs == 30
