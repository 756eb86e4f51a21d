import numpy as np
import pandas as pd
import pytest

from omniretail.metrics.significance import paired_test
from omniretail.models.recommenders.channel_walk import ChannelWalk
from omniretail.models.recommenders.popular import Popular
from omniretail.policies.channel import OnlyChannel
from omniretail.recommendation.cross_channel.evaluate import CrossChannel
from omniretail.recommendation.cross_channel.scorecard import scorecard, verdict, warnings
from omniretail.schema import DataError
from omniretail.views.channels import alone, in_channel, new_to
from tests.recommendation.cross_channel.factories import two_channel_fold

TASK = CrossChannel("a", OnlyChannel("a"), n_negatives=20)


def card_of(telling: bool, weight: float = 1.0) -> pd.DataFrame:
    model = ChannelWalk("a", source_weight=weight)
    _, values = TASK.per_customer(model, two_channel_fold(telling))
    return scorecard(values)


@pytest.fixture(scope="module")
def telling() -> pd.DataFrame:
    return card_of(telling=True)


@pytest.fixture(scope="module")
def noise() -> pd.DataFrame:
    return card_of(telling=False, weight=20.0)


def row(card: pd.DataFrame, group: str, protocol: str = "all_items") -> pd.Series:
    return card[(card.group == group) & (card.protocol == protocol)].iloc[0]


@pytest.mark.parametrize("protocol", ["all_items", "20_negatives"])
def test_a_channel_that_tells_is_found_to_help(telling, protocol):
    for group in ("all", "in_both_channels", "new_here"):
        found = row(telling, group, protocol)
        assert found.gain > 0.05
        assert found.p_holm < 0.001
    assert not warnings(telling, "a", "ChannelWalk")


def test_those_who_were_never_there_gain_nothing_much(telling):
    assert row(telling, "in_this_one_only").customers == 24
    assert row(telling, "in_this_one_only").gain < row(telling, "in_both_channels").gain


def test_noise_hurts_and_a_warning_says_so(noise):
    assert row(noise, "all").gain < 0
    sentences = warnings(noise, "a", "ChannelWalk")
    assert any(
        each.startswith("WARNING: the other channel hurts a: ChannelWalk, all (240 customers), all items: NDCG@10 ")
        for each in sentences
    )
    assert "significantly worse" in verdict(noise)[0]


def test_equal_models_are_neither_better_nor_worse():
    _, values = TASK.per_customer(Popular(), two_channel_fold(telling=True))
    card = scorecard(values)
    assert (card[card.group == "all"].p == 1).all()
    assert not warnings(card, "a", "Popular")
    assert "no significant difference" in verdict(card)[0]


def test_figures_are_those_of_the_rows():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "user_id": np.arange(40),
            "protocol": "all_items",
            "new": np.repeat([False, True], [30, 10]),
            "n_target": np.r_[np.arange(30), np.zeros(10)],
            "n_other": 3,
            **{f"{m}_{k}": rng.random(40) for m in ("ndcg", "hit_rate") for k in ("alone", "both")},
        }
    )
    card = scorecard(pd.concat([frame, frame.assign(protocol="20_negatives")]))
    assert card.group.unique().tolist() == ["all", "few_here", "many_here", "new_here"]
    whole = card[card.group == "all"].iloc[0]
    known = frame[~frame.new]
    assert whole.ndcg_both == pytest.approx(known.ndcg_both.mean())
    assert whole.p == pytest.approx(paired_test(known.ndcg_both, known.ndcg_alone))
    assert whole.p_holm == pytest.approx(min(1, 2 * whole.p))  # two rows of that group
    assert whole.gain_low < whole.gain < whole.gain_high
    assert card[card.group == "few_here"].customers.tolist() == [15, 15]


def test_new_customers_are_forgotten_everywhere():
    fold = two_channel_fold(telling=True)
    cold = new_to(fold, "a", share=0.5, seed=1)
    assert not in_channel(cold.users, cold.train, "a").any()
    new = np.isin(cold.train.histories.rows, cold.users.user_idx)
    assert not in_channel(cold.train.histories, cold.train, "a")[new].any()
    assert in_channel(cold.train.histories, cold.train, "a").any()
    rows = np.searchsorted(fold.user_ids, cold.user_ids)
    np.testing.assert_array_equal(cold.held_out.toarray(), fold.held_out[rows].toarray())
    assert (cold.user_ids % 10 != 0).all()  # who is in one channel only has nothing to be known by
    assert 0.4 < len(cold.user_ids) / 216 < 0.6


def test_alone_knows_one_channel_and_judges_the_same():
    fold = two_channel_fold(telling=True)
    lone = alone(fold, "a")
    assert in_channel(lone.train.histories, lone.train, "a").all()
    assert (lone.user_ids == fold.user_ids).all()
    assert lone.train.items is fold.train.items
    with pytest.raises(ValueError, match="no judged user of a has events in another channel"):
        new_to(lone, "a")


def test_only_the_targets_items_are_shown():
    fold = two_channel_fold(telling=True)
    shown = OnlyChannel("a").fit(fold.train)(np.zeros((len(fold.users), len(fold.train.items))), fold.users)
    names = np.asarray(fold.train.items.ids)
    assert {name[0] for name in names[np.isfinite(shown).any(axis=0)]} == {"a"}
    assert (shown[fold.users.rows, fold.users.item_idx] == -np.inf).all()
    again = OnlyChannel("a", hide_seen=False).fit(fold.train)(np.zeros_like(shown), fold.users)
    assert np.isfinite(again[0]).sum() == sum(name[0] == "a" for name in names)
    with pytest.raises(DataError, match="no channel 'c'; choose target_channel among a, b"):
        OnlyChannel("c").fit(fold.train)
