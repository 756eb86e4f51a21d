"""What passes the gate and what does not, by results whose differences are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from omniretail.config import compose
from omniretail.profile.probing.figures import BLEND
from omniretail.registry.gate import Contender, Gate
from omniretail.registry.gate_checks import Check, failed
from tests.registry.factories import embeddings, lists, offers, shaken

BETTER, WORSE = lists(0.5), lists(0.4)


def judged(candidate: object, champion: object, gate: Gate | None = None) -> dict[str, Check]:
    found = (gate or Gate()).decide(Contender("2", candidate, 5.0), Contender("1", champion, 5.0))
    return {check.name: check for check in found}


def broken(candidate: object, champion: object, gate: Gate | None = None) -> list[str]:
    return [check.name for check in failed(list(judged(candidate, champion, gate).values()))]


def test_who_beats_the_champion_passes() -> None:
    found = judged(BETTER, WORSE)
    assert failed(list(found.values())) == []
    assert str(found["beats the champion in NDCG@10"]) == (
        "beats the champion in NDCG@10: 0.5000 against 0.4000, p <0.001 (asked: higher with p < 0.05)"
    )
    assert list(found) == [
        *("same kind", "same data", "same protocol", "same customers", "beats the champion in NDCG@10", "Coverage@10"),
        *(f"NDCG@10 of customers with {part} events before" for part in ("0–19", "20–39", "40–59", "60–79", "80–99")),
        *("p99 latency", "p99 latency beside the champion's"),
    ]


def test_who_is_worse_or_equal_does_not() -> None:
    assert broken(WORSE, BETTER)[0] == "beats the champion in NDCG@10"
    assert broken(BETTER, BETTER) == ["beats the champion in NDCG@10"]


@pytest.mark.parametrize(("by", "seed"), [(0.5, 0), (0.5, 3), (0.05, 1), (0.3, 2)])
def test_p_is_that_of_the_paired_t_test_and_alpha_decides(by: float, seed: int) -> None:
    candidate = shaken(BETTER, by, seed)
    difference = candidate.per_user.ndcg_at_10 - WORSE.per_user.ndcg_at_10
    p = stats.ttest_1samp(difference, 0).pvalue
    assert difference.mean() > 0
    name = "beats the champion in NDCG@10"
    for alpha, passes in ((p * 1.01, True), (p * 0.99, False)):
        assert judged(candidate, WORSE, Gate(alpha=alpha))[name].passed == passes
    assert judged(WORSE, candidate, Gate(alpha=min(p * 1.01, 0.9)))[name].passed is False


def test_on_other_data_nothing_is_compared() -> None:
    found = judged(lists(0.5, data="d2"), WORSE)
    assert [check.name for check in failed(list(found.values()))] == ["same data"]
    assert str(found["same data"]) == "same data: version d2 (asked: version d1, as the champion)"
    assert not any("NDCG" in name for name in found)


@pytest.mark.parametrize(("key", "value"), [("split", "leave last"), ("policy", "hide_seen"), ("source", "till")])
def test_under_another_protocol_nothing_is_compared(key: str, value: str) -> None:
    found = judged(lists(0.5, **{key: value}), WORSE)
    assert [check.name for check in failed(list(found.values()))] == ["same protocol"]
    assert f"{key} {value} (asked: {key} " in str(found["same protocol"])
    assert not any("NDCG" in name for name in found)
    assert broken(lists(0.5, seed="2"), WORSE) == []


def test_the_stage_belongs_to_the_protocol() -> None:
    assert broken(lists(0.5, stage="val"), WORSE) == ["same protocol"]


def test_other_customers_are_no_comparison() -> None:
    found = judged(lists(0.5, n=110), WORSE)
    assert [check.name for check in failed(list(found.values()))] == ["same customers"]
    assert found["same customers"].found == "110 judged, 10 of them not among the champion's"
    fewer = replace(offers(0.1), answers=offers(0.1).answers.iloc[:-1])
    assert broken(fewer, offers(2.0)) == ["same customers"]
    assert broken(embeddings({"age": 0.1, "spend": 0.1}, n=140), embeddings({"age": 2.0, "spend": 2.0})) == [
        "same customers"
    ]


def test_another_kind_of_model_is_no_comparison() -> None:
    found = judged(offers(0.1), WORSE)
    assert found["same kind"].passed is False
    assert str(found["same kind"]) == "same kind: a response model (asked: a recommender, as the champion)"


def test_coverage_is_guarded() -> None:
    narrow = lists(0.5, coverage=0.179)
    assert broken(narrow, WORSE) == ["Coverage@10"]
    assert judged(narrow, WORSE)["Coverage@10"].found == "0.1790 against the champion's 0.2000"
    assert broken(narrow, WORSE, Gate(min_coverage_share=0.8)) == []
    assert broken(narrow, WORSE, Gate(coverage=None)) == []
    assert broken(lists(0.5, coverage=0.1801), WORSE) == []


def test_a_group_that_loses_bars_the_way_though_the_whole_wins() -> None:
    gains_on_average = lists(0.5, less=0.2)
    name = "NDCG@10 of customers with 80–99 events before"
    assert broken(gains_on_average, WORSE) == [name]
    assert judged(gains_on_average, WORSE)[name].found == "0.3000 against 0.4000, p <0.001"
    assert broken(gains_on_average, WORSE, Gate(groups=0)) == []


def test_groups_are_corrected_for_their_number() -> None:
    """A group's p of .02 alone is .1 beside four others: no proof that anybody is served worse."""
    noise = np.random.default_rng(5).normal(size=20)
    t = stats.t.isf(0.01, df=19)
    lower = -(t / np.sqrt(20) + (noise - noise.mean()) / noise.std(ddof=1)) * 0.1
    values = BETTER.per_user.ndcg_at_10.to_numpy().copy()
    values[80:] = WORSE.per_user.ndcg_at_10.to_numpy()[80:] + lower
    candidate = replace(BETTER, per_user=BETTER.per_user.assign(ndcg_at_10=values))
    name = "NDCG@10 of customers with 80–99 events before"
    assert judged(candidate, WORSE)[name].found.endswith("p 0.020")  # the other four are surer, and come first
    assert broken(candidate, WORSE) == [name]
    others = np.where(np.arange(100) < 80, WORSE.per_user.ndcg_at_10, values)
    nearly_alike = replace(BETTER, per_user=BETTER.per_user.assign(ndcg_at_10=others))
    assert judged(nearly_alike, WORSE)[name].found.endswith("p 0.100")
    assert name not in broken(nearly_alike, WORSE)


def test_a_metric_can_be_kept_and_another_decide() -> None:
    assert broken(BETTER, WORSE, Gate(kept=["recall_at_10"])) == ["Recall@10"]
    assert broken(WORSE, BETTER, Gate(primary="recall_at_10")) == []


def test_latency_is_guarded() -> None:
    def asked(mine: float | None, present: float | None, **bounds: float | None) -> list[str]:
        found = Gate(**bounds).decide(Contender("2", BETTER, mine), Contender("1", WORSE, present))
        return [check.name for check in failed(found)]

    assert asked(100.0, 60.0) == []
    assert asked(100.1, 60.0) == ["p99 latency"]
    assert asked(100.1, 60.0, max_latency_ms=None) == []
    assert asked(80.0, 39.0) == ["p99 latency beside the champion's"]
    assert asked(80.0, 39.0, max_latency_ratio=None) == []
    assert asked(None, 39.0) == ["p99 latency"]
    assert asked(None, 39.0, max_latency_ms=None) == []
    assert asked(80.0, None) == []


def test_the_first_champion_keeps_to_the_bounds_that_need_nobody() -> None:
    assert [str(check) for check in Gate().decide(Contender("1", WORSE, 7.0), None)] == [
        "p99 latency: 7.0 ms (asked: at most 100 ms)"
    ]
    assert failed(Gate().decide(Contender("1", WORSE, 700.0), None))


def test_response_models_are_compared_on_the_same_customers_drawn() -> None:
    found = judged(offers(0.05), offers(1.0))
    assert [check.name for check in failed(list(found.values()))] == []
    best, worst = (offers(noise).answers for noise in (0.05, 1.0))
    value = f"{roc_auc_score(best.truth, best.score):.4f} against {roc_auc_score(worst.truth, worst.score):.4f}"
    assert found["beats the champion in AUC"].found == f"{value}, p <0.001"
    of_b = [each[each.offer_id == "b"] for each in (best, worst)]
    value = " against ".join(f"{roc_auc_score(each.truth, each.score):.4f}" for each in of_b)
    assert found["AUC of offer b"].found.startswith(value)
    assert broken(offers(1.0), offers(0.05))[0] == "beats the champion in AUC"
    assert "AUC of offer a" not in judged(offers(0.05), offers(1.0), Gate(groups=0))
    assert "beats the champion in AUC per offer" in judged(
        offers(0.05), offers(1.0), Gate(offer_primary="auc_per_offer")
    )


def test_probabilities_may_not_get_worse_though_the_order_gets_better() -> None:
    tenth = offers(0.0, scale=0.1)
    assert broken(tenth, offers(0.3)) == ["log loss"]
    losses = [log_loss(each.answers.truth, each.answers.score) for each in (tenth, offers(0.3))]
    found = judged(tenth, offers(0.3))["log loss"]
    assert found.found == f"{losses[0]:.2f} against {losses[1]:.4f}, p <0.001"
    assert found.bound == "not higher with p < 0.05"


def test_an_offer_that_loses_bars_the_way() -> None:
    candidate = offers(0.0)
    flipped = candidate.answers.assign(
        score=np.where(candidate.answers.offer_id == "c", 1 - candidate.answers.score, candidate.answers.score)
    )
    champion = offers(1.0)
    of_c = champion.answers.assign(score=np.where(champion.answers.offer_id == "c", candidate.answers.score, 0.5))
    found = broken(replace(candidate, answers=flipped), replace(champion, answers=of_c), Gate(offer_primary="auc"))
    assert "AUC of offer c" in found
    assert "AUC of offer a" not in found


def test_encoders_are_compared_over_all_questions_and_none_may_get_worse() -> None:
    good, bad = embeddings({"age": 0.3, "spend": 0.3}), embeddings({"age": 3.0, "spend": 3.0})
    found = judged(good, bad)
    assert failed(list(found.values())) == []
    means = [each.figures[each.figures.probe == BLEND]["value"].mean() for each in (good, bad)]
    assert found["beats the champion in the mean of all questions"].found == (
        f"{means[0]:.4f} against {means[1]:.4f}, p <0.001"
    )
    mixed = embeddings({"age": 0.1, "spend": 3.0})
    champion = embeddings({"age": 3.0, "spend": 0.3})
    assert "spend" in broken(mixed, champion)
    assert broken(mixed, champion, Gate(profile_primary="age")) == ["spend"]
    assert broken(champion, mixed, Gate(profile_primary="age"))[0] == "beats the champion in age"


def test_answers_kept_in_another_order_are_the_same_answers() -> None:
    champion = embeddings({"age": 0.5, "spend": 0.5})
    shuffled = replace(champion, answers=champion.answers.sample(frac=1, random_state=1))
    assert judged(shuffled, champion)["beats the champion in the mean of all questions"].found.endswith("p 1.000")
    said = offers(0.5)
    shuffled_offers = replace(said, answers=said.answers.sample(frac=1, random_state=1))
    assert judged(shuffled_offers, said)["beats the champion in AUC"].found.endswith("p 1.000")


def test_what_was_not_measured_is_named() -> None:
    with pytest.raises(ValueError, match=r"EASE has no values per user of mrr_at_5; it has ndcg_at_10, recall_at_10"):
        judged(BETTER, WORSE, Gate(primary="mrr_at_5"))
    with pytest.raises(ValueError, match=r"no coverage_at_50; gate.coverage takes one of coverage_at_10, or null"):
        judged(BETTER, WORSE, Gate(coverage="coverage_at_50"))
    with pytest.raises(ValueError, match="by one of auc, auc_per_offer, average_precision, not brier"):
        judged(offers(0.1), offers(0.2), Gate(offer_primary="brier"))
    one, other = embeddings({"age": 0.1, "spend": 1.0}), embeddings({"age": 1.0, "spend": 1.0})
    with pytest.raises(ValueError, match=r"were asked age, spend, not sex; gate.profile_primary"):
        judged(one, other, Gate(profile_primary="sex"))


@pytest.mark.parametrize(
    "setting", [{"alpha": 0.0}, {"alpha": 1.5}, {"groups": -1}, {"max_latency_ms": -1.0}, {"min_coverage_share": -0.1}]
)
def test_settings_out_of_range_are_named(setting: dict) -> None:
    with pytest.raises(ValueError, match=f"gate.{next(iter(setting))} "):
        Gate(**setting)


def test_the_yaml_holds_the_defaults() -> None:
    gate = instantiate(compose("+gate=default").gate)
    assert gate == replace(Gate(), kept=[])
    assert instantiate(compose("+gate=default", "gate.alpha=.01").gate).alpha == 0.01


def test_users_without_a_value_in_either_do_not_count() -> None:
    candidate = replace(BETTER, per_user=BETTER.per_user.assign(ndcg_at_10=np.nan))
    assert judged(candidate, WORSE)["beats the champion in NDCG@10"].found == "– against –, p 1.000"
    some = BETTER.per_user.copy()
    some.loc[some.index[:50], "ndcg_at_10"] = np.nan
    found = judged(replace(BETTER, per_user=pd.DataFrame(some)), WORSE)
    assert found["beats the champion in NDCG@10"].found == "0.5000 against 0.4000, p <0.001"
