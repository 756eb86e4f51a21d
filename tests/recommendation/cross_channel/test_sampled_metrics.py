from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse

from omniretail.policies.seen import allow_seen, hide_seen
from omniretail.recommendation.cross_channel.sampled_metrics import SampledNegatives
from omniretail.views.fold import Fold
from omniretail.views.histories import Histories
from tests.models.factories import train_on

N_ITEMS = 12
TRAIN = train_on([[[0, 1]], [[2]], [[3, 4, 5]]], N_ITEMS)


def judged(held_out: list[int], users: tuple[int, ...] = (0, 1, 2)) -> Fold:
    pairs = sparse.csr_array(
        (np.ones(len(users), dtype=bool), (range(len(users)), held_out)), shape=(len(users), N_ITEMS)
    )
    histories = TRAIN.histories.take(users)
    return Fold(TRAIN, np.array(users), histories, pairs, np.ones(len(users), dtype=int))


def lists(fold: Fold, scores: np.ndarray, k: int = 3, n: int = 4, seed: int = 0, policy=hide_seen) -> np.ndarray:
    kept = SampledNegatives(fold, policy, k, n, seed)
    kept(scores.copy(), fold.users)
    return kept.lists()


def test_the_held_out_item_is_ranked_among_negatives_that_were_drawn() -> None:
    fold, scores = judged([6, 7, 8]), np.tile(np.arange(N_ITEMS, dtype=np.float32), (3, 1))
    kept = SampledNegatives(fold, hide_seen, k=3, n=4)
    for user, (item, seen) in enumerate([(6, {0, 1}), (7, {2}), (8, {3, 4, 5})]):
        allowed = ~np.isin(np.arange(N_ITEMS), list(seen))
        drawn = kept.candidates(allowed.copy(), user)
        assert len(set(drawn)) == 5
        assert item in drawn
        assert not seen & set(drawn)
        expected = sorted(drawn, reverse=True)[:3]  # scores rise with the index
        assert lists(fold, scores)[user].tolist() == expected


def test_the_value_by_hand_where_every_item_is_a_negative() -> None:
    scores = np.array([[0, 0, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]] * 3, dtype=np.float32)
    ranked = lists(judged([4, 3, 2]), scores, k=3, n=99)
    assert ranked.tolist() == [[2, 3, 4], [3, 4, 5], [2, 6, 7]]  # the first user's hit stands third, the others' first


def test_ties_are_broken_by_index_and_not_in_favour_of_the_held_out_item() -> None:
    flat = np.zeros((3, N_ITEMS), dtype=np.float32)
    assert lists(judged([11, 11, 11]), flat, k=2, n=99, policy=allow_seen).tolist() == [[0, 1]] * 3


def test_draws_depend_on_the_seed_and_the_user_alone() -> None:
    scores = np.random.default_rng(0).random((3, N_ITEMS), dtype=np.float32)
    whole = lists(judged([6, 7, 8]), scores)
    np.testing.assert_array_equal(lists(judged([6, 7, 8]), scores), whole)
    np.testing.assert_array_equal(lists(judged([8, 6], users=(2, 0)), scores[[2, 0]]), whole[[2, 0]])
    kept = [SampledNegatives(judged([6, 7, 8]), hide_seen, 3, 4, seed) for seed in range(8)]
    drawn = {tuple(each.candidates(np.ones(N_ITEMS, dtype=bool), 0)) for each in kept}
    assert len(drawn) > 1


def test_what_the_policy_hides_is_never_shown_where_little_is_left() -> None:
    def only_two(scores: np.ndarray, users: Histories) -> np.ndarray:
        scores[:, 2:] = -np.inf
        return scores

    ranked = lists(judged([0, 5, 1]), np.ones((3, N_ITEMS), dtype=np.float32), k=4, policy=only_two)
    assert ranked.tolist() == [[0, 1, -1, -1]] * 3  # the second user's item cannot be shown


def test_a_user_unknown_to_training_is_refused() -> None:
    fold = judged([6, 7, 8])
    with pytest.raises(ValueError, match="need judged users who are known to training"):
        SampledNegatives(replace(fold, users=TRAIN.histories.take([0, -1, 2])), hide_seen, 3)
