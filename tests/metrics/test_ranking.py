import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from omniretail.metrics import ranking
from omniretail.metrics.ranked_lists import RankedLists

METRICS = [getattr(ranking, name) for name in vars(ranking) if name.endswith("_at_k")]
N_ITEMS, PLACES = 30, 12


def one(ranked: list[int], held_out: set[int]) -> RankedLists:
    return RankedLists.of([ranked], [held_out], item_users=[1] * N_ITEMS)


@st.composite
def lists(draw: st.DrawFn) -> RankedLists:
    """Up to six users, some with nothing held out, some with short lists, some with items that nobody knows."""
    n_users = draw(st.integers(1, 6))
    permutations = [draw(st.permutations(range(N_ITEMS)))[:PLACES] for _ in range(n_users)]
    filled = [draw(st.integers(0, PLACES)) for _ in range(n_users)]
    ranked = [[*p[:n], *[-1] * (PLACES - n)] for p, n in zip(permutations, filled, strict=True)]
    truth = st.sets(st.integers(0, N_ITEMS + 5), max_size=15)
    return RankedLists.of(ranked, [draw(truth) for _ in range(n_users)], item_users=[1] * N_ITEMS)


def random_lists(n_users: int = 200) -> tuple[RankedLists, list[set[int]]]:
    rng = np.random.default_rng(0)
    ranked = rng.permuted(np.tile(np.arange(N_ITEMS), (n_users, 1)), axis=1)[:, :PLACES]
    held_out = [set(rng.integers(0, N_ITEMS + 5, rng.integers(1, 15)).tolist()) for _ in range(n_users)]
    return RankedLists.of(ranked.tolist(), held_out, item_users=[1] * N_ITEMS), held_out


@pytest.mark.parametrize(
    ("metric", "k", "expected"),
    [
        (ranking.ndcg_at_k, 4, (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3) + 1 / math.log2(4))),
        (ranking.ndcg_at_k, 2, (1 / math.log2(3)) / (1 + 1 / math.log2(3))),
        (ranking.recall_at_k, 4, 2 / 3),
        (ranking.recall_at_k, 2, 1 / 3),
        (ranking.precision_at_k, 4, 2 / 4),
        (ranking.hit_rate_at_k, 1, 0.0),
        (ranking.hit_rate_at_k, 2, 1.0),
        (ranking.mrr_at_k, 4, 1 / 2),
        (ranking.mrr_at_k, 1, 0.0),
        (ranking.map_at_k, 4, (1 / 2 + 2 / 4) / 3),
        (ranking.map_at_k, 2, (1 / 2) / 2),
    ],
)
def test_by_hand(metric, k, expected):
    # hits in places 2 and 4; the third held-out item, 99, is unknown to the catalogue
    assert metric(one([3, 7, 5, 9], {7, 9, 99}), k) == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
def test_perfect_and_hopeless_lists(metric):
    assert metric(one([4, 2], {2, 4}), 2) == 1.0
    assert metric(one([4, 2], {1, 3}), 2) == 0.0


@pytest.mark.parametrize(
    ("metric", "theirs"),
    [
        (ranking.ndcg_at_k, "ndcg_cut_10"),
        (ranking.recall_at_k, "recall_10"),
        (ranking.precision_at_k, "P_10"),
        (ranking.hit_rate_at_k, "success_10"),
        (ranking.map_at_k, "map_cut_10"),
        (ranking.mrr_at_k, "recip_rank"),
    ],
)
def test_against_trec_eval(metric, theirs):
    judged, held_out = random_lists()
    truth = {str(u): {str(item): 1 for item in items} for u, items in enumerate(held_out)}
    top = {str(u): {str(i): float(-place) for place, i in enumerate(row[:10])} for u, row in enumerate(judged.ranked)}
    scores = pytrec_eval.RelevanceEvaluator(truth, {theirs}).evaluate(top)
    expected = np.array([scores[str(u)][theirs] for u in range(len(held_out))])
    if metric is ranking.map_at_k:  # trec_eval divides by the held-out items, not by the hits that were possible
        expected *= judged.n_held_out / np.minimum(10, judged.n_held_out)
    np.testing.assert_allclose(metric(judged, 10), expected, atol=1e-9)


def test_ndcg_against_scikit_learn():
    judged, held_out = random_lists()
    relevance, scores = np.zeros((2, len(held_out), N_ITEMS + 6))
    for user, items in enumerate(held_out):
        relevance[user, list(items)] = 1
        scores[user, judged.ranked[user]] = np.arange(PLACES, 0, -1)
    for user in range(len(held_out)):
        expected = ndcg_score(relevance[[user]], scores[[user]], k=10, ignore_ties=True)
        assert ranking.ndcg_at_k(judged, 10)[user] == pytest.approx(expected)


@pytest.mark.parametrize("metric", METRICS)
@given(judged=lists(), k=st.integers(1, PLACES))
def test_bounds_and_missing_values(metric, judged, k):
    values = metric(judged, k)
    assert values.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(values), judged.n_held_out == 0)
    seen = values[judged.n_held_out > 0]
    assert ((seen >= 0) & (seen <= 1 + 1e-12)).all()


@pytest.mark.parametrize("metric", [ranking.recall_at_k, ranking.hit_rate_at_k, ranking.mrr_at_k])
@given(judged=lists())
def test_longer_lists_never_lose(metric, judged):
    values = np.array([metric(judged, k) for k in range(1, PLACES + 1)])
    assert (np.diff(np.nan_to_num(values), axis=0) >= 0).all()


@pytest.mark.parametrize("metric", METRICS)
@given(judged=lists(), order=st.randoms())
def test_users_are_judged_one_by_one(metric, judged, order):
    rows = order.sample(range(len(judged.ranked)), len(judged.ranked))
    mixed = RankedLists(
        judged.ranked[rows], judged.hits[rows], judged.n_held_out[rows], judged.item_users, judged.n_users
    )
    np.testing.assert_array_equal(metric(mixed, 5), metric(judged, 5)[rows])


@pytest.mark.parametrize("metric", METRICS)
def test_empty_places_are_misses(metric):
    assert metric(one([4, -1, -1], {4}), 3) == metric(one([4, 8, 9], {4}), 3)
    assert metric(one([-1, -1, -1], {4}), 3) == 0.0


@pytest.mark.parametrize("k", [0, 3])
def test_refuses_lists_that_are_too_short(k):
    with pytest.raises(ValueError, match=f"k={k} does not fit lists of 2 places"):
        ranking.recall_at_k(one([4, 2], {4}), k)
