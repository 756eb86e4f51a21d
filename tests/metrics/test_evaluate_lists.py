from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy import sparse

from omniretail.ids import Vocabulary
from omniretail.metrics.beyond_accuracy import catalogue_coverage_at_k
from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.metrics.ranking import ndcg_at_k, recall_at_k
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories
from omniretail.views.train import Train

CONFIG = Path(__file__).parents[2] / "configs" / "metrics" / "default.yaml"
METRICS = Metrics(
    ks=[2], primary="recall_at_2", per_user={"recall": recall_at_k}, overall={"coverage": catalogue_coverage_at_k}
)


def fold(histories: list[list[int]], held_out: list[set[int]], n_items: int = 5, category: bool = False) -> Fold:
    """Users u0, u1, …; held-out items may lie outside the catalogue."""
    users = Histories.of([[items] if items else [] for items in histories], n_items)
    names = [f"u{i}" for i in range(len(histories))]
    items = pd.DataFrame({"item_id": range(n_items)} | ({"category": ["a", "b", None, "a", "b"]} if category else {}))
    pairs = [(u, item) for u, truth in enumerate(held_out) for item in truth if item < n_items]
    row, column = np.array(pairs).reshape(-1, 2).T
    return Fold(
        train=Train(users, Vocabulary.of(names), Vocabulary.of(range(n_items)), items, at=0),
        user_ids=np.array(names),
        users=users,
        held_out=sparse.csr_array((np.ones(len(pairs), dtype=bool), (row, column)), shape=(len(names), n_items)),
        n_held_out=np.array([len(truth) for truth in held_out]),
    )


def test_repeat_and_new_items_are_reported_separately():
    judged = fold(histories=[[0, 1, 1], [3], []], held_out=[{0, 2, 9}, {4}, {0}])
    metrics = Metrics([2], "recall_at_2", {"recall": recall_at_k}, {}, split_repeat_new=["recall"])
    per_user, overall, counts = evaluate_lists(np.array([[0, 2], [3, 4], [1, 0]]), judged, metrics)
    expected = pd.DataFrame(
        {
            "recall_at_2": [2 / 3, 1.0, 1.0],
            "repeat_recall_at_2": [1.0, np.nan, np.nan],
            "new_recall_at_2": [1 / 2, 1.0, 1.0],
            "cold_recall_at_2": [1.0, 1.0, np.nan],  # of items 2 and 4, which nobody has in their history
            "n_history": [3, 1, 0],
        },
        index=pd.Index(["u0", "u1", "u2"], name="user_id"),
    )
    pd.testing.assert_frame_equal(per_user, expected, check_dtype=False)
    assert overall == {}
    assert counts == {
        "users_judged": 3,
        "users_without_history": 1,
        "held_out_items": 5,
        "repeat_items": 1,
        "cold_items": 1,
        "unsold_items": 2,
        "catalogue_items": 5,
    }


def test_no_parts_without_repeats():
    metrics = Metrics([1], "recall_at_1", {"recall": recall_at_k}, {}, split_repeat_new=["recall"])
    per_user, _, counts = evaluate_lists(np.array([[2], [0]]), fold([[0], [1, 2, 3, 4]], [{2}, {0}]), metrics)
    assert list(per_user) == ["recall_at_1", "n_history"]
    assert counts["repeat_items"] == 0


def test_parts_partition_the_hits():
    rng = np.random.default_rng(0)
    histories = [rng.integers(0, 40, 12).tolist() for _ in range(60)]
    held_out = [set(rng.integers(0, 45, 8).tolist()) for _ in range(60)]
    judged = fold(histories, held_out, n_items=40)
    ranked = rng.permuted(np.tile(np.arange(40), (60, 1)), axis=1)[:, :10]
    metrics = Metrics([10], "recall_at_10", {"recall": recall_at_k}, {}, split_repeat_new=["recall"])
    per_user, _, _ = evaluate_lists(ranked, judged, metrics)
    n_repeat = np.array([len(set(h) & truth) for h, truth in zip(histories, held_out, strict=True)])
    hits = per_user.repeat_recall_at_10.fillna(0) * n_repeat
    hits += per_user.new_recall_at_10.fillna(0) * (judged.n_held_out - n_repeat)
    np.testing.assert_allclose(hits / judged.n_held_out, per_user.recall_at_10)


def test_the_default_config_measures_everything():
    metrics = instantiate(OmegaConf.load(CONFIG))
    ranked = np.array([np.arange(20), np.arange(20)[::-1]])
    judged = fold([[0, 1], [2]], [{0, 5}, {19}], n_items=20)
    per_user, overall, _ = evaluate_lists(ranked, judged, metrics)
    assert metrics.primary in per_user
    assert {"hit_rate_at_5", "map_at_20", "novelty_at_10", "new_ndcg_at_10"} <= set(per_user)
    assert overall["coverage_at_20"] == 1.0
    assert all(isinstance(k, int) for k in metrics.ks)


def test_diversity_only_where_categories_are_known():
    metrics = instantiate(OmegaConf.merge(OmegaConf.load(CONFIG), {"ks": [2], "primary": "ndcg_at_2"}))
    ranked = np.array([[0, 1], [0, 2]])
    with_categories, _, _ = evaluate_lists(ranked, fold([[0], [1]], [{1}, {2}], category=True), metrics)
    without, _, _ = evaluate_lists(ranked, fold([[0], [1]], [{1}, {2}]), metrics)
    np.testing.assert_array_equal(with_categories.intra_list_diversity_at_2, [1.0, np.nan])
    assert "intra_list_diversity_at_2" not in without


def test_metrics_of_all_lists_are_returned_beside_those_per_user():
    per_user, overall, _ = evaluate_lists(np.array([[0, 1]]), fold([[0]], [{1}]), METRICS)
    assert per_user.recall_at_2.item() == 1.0
    assert overall["coverage_at_2"] == 2 / 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"primary": "ndcg_at_7"}, "metrics.primary=ndcg_at_7 is not measured; choose one of ndcg_at_5"),
        ({"split_repeat_new": ["recal"]}, r"metrics.split_repeat_new names \['recal'\]; choose among ndcg"),
    ],
)
def test_typos_fail_with_their_name(settings, message):
    plain = {"ks": [5], "primary": "ndcg_at_5", "per_user": {"ndcg": ndcg_at_k}, "overall": {}}
    with pytest.raises(ValueError, match=message):
        Metrics(**(plain | settings))


def test_lists_that_are_too_short_are_refused():
    with pytest.raises(ValueError, match="rank at least max"):
        evaluate_lists(np.array([[0]]), fold([[0]], [{1}]), METRICS)
