"""What passes the gate and what does not, by results whose differences are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy import stats
from sklearn.metrics import log_loss, roc_auc_score

from omniretail.config import CONFIGS
from omniretail.registry.gate import Contender, Gate, Guards, default_guards
from omniretail.registry.gate_checks import Check, failed
from omniretail.registry.latency import Latency
from omniretail.result import Result, metric_rows
from tests.registry.factories import PRIMARY, embeddings, lists, mailings, offers, shaken, with_values

BETTER, WORSE = lists(0.5), lists(0.4)
LATENCY = Latency(p99=5.0, median=4.0, champion_median=3.0)


def checked(candidate: Result, champion: Result, gate: Gate | None = None) -> dict[str, Check]:
    contenders = (Contender(v, r, PRIMARY[r.task]) for v, r in (("2", candidate), ("1", champion)))
    return {check.name: check for check in (gate or Gate()).decide(*contenders, LATENCY)}


def violated(candidate: Result, champion: Result, gate: Gate | None = None) -> list[str]:
    return [check.name for check in failed(list(checked(candidate, champion, gate).values()))]


def guarding(task: str = "recommendation", **settings: object) -> Gate:
    """The gate with other guards for a task."""
    guards = default_guards()
    return Gate(guards=guards | {task: replace(guards.get(task, Guards()), **settings)})  # type: ignore[arg-type]


def test_the_better_version_passes() -> None:
    checks = checked(BETTER, WORSE)
    assert failed(list(checks.values())) == []
    assert str(checks["beats the champion in NDCG@10"]) == (
        "beats the champion in NDCG@10: 0.5000 against 0.4000, p <0.001 (required: higher with p < 0.05)"
    )
    assert list(checks) == [
        *("same task", "same data", "same protocol", "same units", "beats the champion in NDCG@10", "Coverage@10"),
        *(f"NDCG@10 of users with {part} events before" for part in ("0–19", "20–39", "40–59", "60–79", "80–99")),
        "latency beside the champion's",
    ]


def test_a_worse_or_equal_version_does_not() -> None:
    assert violated(WORSE, BETTER)[0] == "beats the champion in NDCG@10"
    assert violated(BETTER, BETTER) == ["beats the champion in NDCG@10"]


@pytest.mark.parametrize(("by", "seed"), [(0.5, 0), (0.5, 3), (0.05, 1), (0.3, 2)])
def test_p_is_that_of_the_paired_t_test_and_alpha_decides(by: float, seed: int) -> None:
    candidate = shaken(BETTER, by, seed)
    difference = candidate.per_unit.ndcg_at_10 - WORSE.per_unit.ndcg_at_10
    p = stats.ttest_1samp(difference, 0).pvalue
    assert difference.mean() > 0
    name = "beats the champion in NDCG@10"
    for alpha, passes in ((p * 1.01, True), (p * 0.99, False)):
        assert checked(candidate, WORSE, Gate(alpha=alpha))[name].passed == passes
    assert checked(WORSE, candidate, Gate(alpha=min(p * 1.01, 0.9)))[name].passed is False


def test_on_other_data_nothing_is_compared() -> None:
    checks = checked(lists(0.5, data="d2"), WORSE)
    assert [check.name for check in failed(list(checks.values()))] == ["same data"]
    assert str(checks["same data"]) == "same data: version d2 (required: version d1, as the champion)"
    assert not any("NDCG" in name for name in checks)


@pytest.mark.parametrize(
    ("name", "value"), [("split", "leave last"), ("policy", "hide_seen"), ("source", "till"), ("n_folds", "3")]
)
def test_under_another_protocol_nothing_is_compared(name: str, value: str) -> None:
    checks = checked(lists(0.5, **{name: value}), WORSE)
    assert [check.name for check in failed(list(checks.values()))] == ["same protocol"]
    assert f"{name} {value} (required: {name}" in str(checks["same protocol"])
    assert not any("NDCG" in name for name in checks)


def test_the_seed_is_no_part_of_the_protocol_and_the_stage_is() -> None:
    assert violated(lists(0.5, seed=2), WORSE) == []
    assert violated(lists(0.5, stage="val"), WORSE) == ["same protocol"]


def test_encoders_probed_differently_are_not_compared() -> None:
    good, bad = ({"age": noise, "spend": noise} for noise in (0.3, 3.0))
    assert violated(embeddings(good, probes="LightGBM"), embeddings(bad)) == ["same protocol"]


def test_other_units_are_not_compared() -> None:
    checks = checked(lists(0.5, n=110), WORSE)
    assert [check.name for check in failed(list(checks.values()))] == ["same units"]
    assert checks["same units"].measured == "110 evaluated, 10 of them not among the champion's"
    assert violated(offers(mailings(0.1).iloc[:-1]), offers(mailings(2.0))) == ["same units"]
    assert violated(embeddings({"age": 0.1, "spend": 0.1}, n=140), embeddings({"age": 2.0, "spend": 2.0})) == [
        "same units"
    ]


def test_another_task_is_not_compared() -> None:
    checks = checked(offers(mailings(0.1)), WORSE)
    assert str(checks["same task"]) == "same task: response (required: recommendation, as the champion)"
    assert not any("beats" in name for name in checks)


def test_coverage_is_guarded() -> None:
    narrow = lists(0.5, coverage=0.179)
    assert violated(narrow, WORSE) == ["Coverage@10"]
    assert checked(narrow, WORSE)["Coverage@10"].measured == "0.1790 against the champion's 0.2000"
    assert violated(narrow, WORSE, guarding(min_share={"coverage_at_10": 0.8})) == []
    assert violated(narrow, WORSE, guarding(min_share={})) == []
    assert violated(lists(0.5, coverage=0.1801), WORSE) == []


def test_a_group_that_loses_stops_a_candidate_that_wins_on_average() -> None:
    candidate = lists(0.5, less=0.2)
    name = "NDCG@10 of users with 80–99 events before"
    assert violated(candidate, WORSE) == [name]
    assert checked(candidate, WORSE)[name].measured == "0.3000 against 0.4000, p <0.001"
    assert violated(candidate, WORSE, guarding(activity_groups=0)) == []


def test_groups_are_corrected_for_their_number() -> None:
    """A group's p of .02 alone is .1 beside four others: not significantly worse."""
    noise = np.random.default_rng(5).normal(size=20)
    t = stats.t.isf(0.01, df=19)
    lower = -(t / np.sqrt(20) + (noise - noise.mean()) / noise.std(ddof=1)) * 0.1
    values = BETTER.per_unit.ndcg_at_10.to_numpy().copy()
    values[80:] = WORSE.per_unit.ndcg_at_10.to_numpy()[80:] + lower
    candidate = with_values(BETTER, ndcg_at_10=values)
    name = "NDCG@10 of users with 80–99 events before"
    assert checked(candidate, WORSE)[name].measured.endswith("p 0.020")  # the other four are surer, and come first
    assert violated(candidate, WORSE) == [name]
    others = np.where(np.arange(100) < 80, WORSE.per_unit.ndcg_at_10, values)
    nearly_alike = with_values(BETTER, ndcg_at_10=others)
    assert checked(nearly_alike, WORSE)[name].measured.endswith("p 0.100")
    assert name not in violated(nearly_alike, WORSE)


def test_another_metric_can_be_guarded_or_decide() -> None:
    assert violated(BETTER, WORSE, guarding(metrics=["recall_at_10"])) == ["Recall@10"]
    assert violated(BETTER, WORSE, guarding(metrics=["recall_*"])) == ["Recall@10"]
    assert violated(WORSE, BETTER, Gate(primary="recall_at_10")) == []


def test_the_champions_run_names_the_primary_metric() -> None:
    candidate, champion = Contender("2", WORSE, "ndcg_at_10"), Contender("1", BETTER, "recall_at_10")
    assert failed(Gate().decide(candidate, champion, LATENCY)) == []


def test_a_task_without_guards_is_compared_by_its_primary_metric_alone() -> None:
    one, other = (replace(result, task="joint") for result in (BETTER, WORSE))
    checks = Gate().decide(Contender("2", one, "ndcg_at_10"), Contender("1", other, "ndcg_at_10"), LATENCY)
    assert failed(checks) == []
    assert len(checks) == 6


def test_latency_is_guarded() -> None:
    def violations(latency: Latency, **bounds: float | None) -> list[str]:
        contenders = Contender("2", BETTER, "ndcg_at_10"), Contender("1", WORSE, "ndcg_at_10")
        return [check.name for check in failed(Gate(**bounds).decide(*contenders, latency))]  # type: ignore[arg-type]

    beside, own = "latency beside the champion's", "p99 latency"
    assert violations(Latency(500, 80, 40)) == []
    assert violations(Latency(500, 80, 39)) == [beside]
    assert violations(Latency(500, 80, 39), max_latency_ratio=2.1) == []
    assert violations(Latency(500, 80, 39), max_latency_ratio=None) == []
    assert violations(Latency(500, 80, 40), max_latency_ms=499) == [own]
    assert violations(Latency(500, 80, 40), max_latency_ms=500) == []
    assert violations(Latency(failure="its files are gone"), max_latency_ms=500) == [own, beside]
    assert violations(Latency(failure="its files are gone"), max_latency_ratio=None) == []


def test_times_of_both_are_shown() -> None:
    check = checked(BETTER, WORSE)["latency beside the champion's"]
    assert str(check) == "latency beside the champion's: 4.0 ms against 3.0 ms, medians (required: at most 2 times)"


def test_of_the_first_version_only_the_latency_is_checked() -> None:
    first = Contender("1", WORSE, "ndcg_at_10")
    assert Gate().decide(first, None, Latency()) == []
    assert [str(check) for check in Gate(max_latency_ms=100).decide(first, None, Latency(7, 5))] == [
        "p99 latency: 7.0 ms (required: at most 100 ms)"
    ]
    assert failed(Gate(max_latency_ms=100).decide(first, None, Latency(700, 5)))
    assert [Gate().needs_latency(each) for each in (False, True)] == [False, True]
    assert [Gate(max_latency_ratio=None).needs_latency(each) for each in (False, True)] == [False, False]
    assert Gate(max_latency_ms=9).needs_latency(has_champion=False)


def test_every_check_that_fails_names_a_way_out() -> None:
    pairs = [
        (lists(0.4, less=0.2, coverage=0.1), BETTER),
        (lists(0.5, n=110, data="d2", policy="hide_seen"), WORSE),
        (offers(mailings(0.0, scale=0.1)), offers(mailings(0.3))),
        (offers(mailings(0.1)), WORSE),
    ]
    for candidate, champion in pairs:
        checks = failed(list(checked(candidate, champion, Gate(max_latency_ms=1, max_latency_ratio=1)).values()))
        assert len(checks) > 2
        assert all(check.way_out for check in checks), checks


def test_every_task_that_saves_a_model_has_guards() -> None:
    tasks = [OmegaConf.load(path) for path in (CONFIGS / "task").glob("*.yaml")]
    saving = {
        path.stem
        for path in (CONFIGS / "task").glob("*.yaml")
        if OmegaConf.select(OmegaConf.load(path), "outputs.bundle")
    }
    assert len(tasks) > len(saving) >= 5
    assert saving == set(default_guards())


def test_an_uplift_learner_is_guarded_in_its_order_and_its_probabilities() -> None:
    def learner(qini: float, auuc: float, loss: float) -> Result:
        values = {"qini": qini, "auuc": auuc, "treated/log_loss": loss}
        draws = np.random.default_rng(0).normal(scale=0.01, size=100)
        return Result(
            "TLearner",
            "test",
            "uplift",
            per_unit=pd.DataFrame({"score": 0.0}, index=pd.RangeIndex(9, name="user_id")),
            metrics=pd.concat([metric_rows({"qini": qini, "auuc": auuc}), metric_rows({"log_loss": loss}, "treated")]),
            resampled=pd.DataFrame({name: value + draws * value for name, value in values.items()}),
            protocol={"task": "uplift", "stage": "test"},
        )

    champion = learner(0.2, 0.2, 0.5)
    assert violated(learner(0.3, 0.2, 0.5), champion) == []
    assert violated(learner(0.3, 0.1, 0.5), champion) == ["AUUC"]
    assert violated(learner(0.3, 0.2, 0.9), champion) == ["treated log loss"]


def test_response_models_are_compared_on_the_same_resampled_customers() -> None:
    best, worst = mailings(0.05), mailings(1.0)
    checks = checked(offers(best), offers(worst))
    assert [check.name for check in failed(list(checks.values()))] == []
    value = f"{roc_auc_score(best.truth, best.score):.4f} against {roc_auc_score(worst.truth, worst.score):.4f}"
    assert checks["beats the champion in AUC"].measured == f"{value}, p <0.001"
    of_b = [each[each.offer_id == "b"] for each in (best, worst)]
    value = " against ".join(f"{roc_auc_score(each.truth, each.score):.4f}" for each in of_b)
    assert checks["offer b AUC"].measured.startswith(value)
    assert violated(offers(worst), offers(best))[0] == "beats the champion in AUC"
    no_offers = guarding("response", metrics=["log_loss"])
    assert "offer a AUC" not in checked(offers(best), offers(worst), no_offers)
    assert "beats the champion in AUC per offer" in checked(offers(best), offers(worst), Gate(primary="auc_per_offer"))


def test_probabilities_may_not_get_worse_though_the_order_gets_better() -> None:
    tenth, champion = mailings(0.0, scale=0.1), mailings(0.3)
    assert violated(offers(tenth), offers(champion)) == ["Log loss"]
    losses = [log_loss(each.truth, each.score) for each in (tenth, champion)]
    check = checked(offers(tenth), offers(champion))["Log loss"]
    assert check.measured == f"{losses[0]:.2f} against {losses[1]:.4f}, p <0.001"
    assert check.required == "not higher with p < 0.05"


def test_an_offer_that_loses_stops_a_candidate() -> None:
    candidate, champion = mailings(0.0), mailings(1.0)
    is_c = candidate.offer_id == "c"
    flipped = candidate.assign(score=np.where(is_c, 1 - candidate.score, candidate.score))
    of_c = champion.assign(score=np.where(is_c, candidate.score, 0.5))
    names = violated(offers(flipped), offers(of_c))
    assert "offer c AUC" in names
    assert "offer a AUC" not in names


def test_encoders_are_compared_over_all_questions_and_none_may_get_worse() -> None:
    good, bad = embeddings({"age": 0.3, "spend": 0.3}), embeddings({"age": 3.0, "spend": 3.0})
    checks = checked(good, bad)
    assert failed(list(checks.values())) == []
    assert checks["beats the champion in mean"].measured == (
        f"{good.value('mean'):.4f} against {bad.value('mean'):.4f}, p <0.001"
    )
    mixed = embeddings({"age": 0.1, "spend": 3.0})
    champion = embeddings({"age": 3.0, "spend": 0.3})
    spend = "spend Spearman's ρ"
    assert spend in violated(mixed, champion)
    assert violated(mixed, champion, Gate(primary="age/auc")) == [spend]
    assert violated(champion, mixed, Gate(primary="age/auc"))[0] == "beats the champion in age AUC"


def test_units_in_another_order_are_the_same_units() -> None:
    shuffled = replace(WORSE, per_unit=WORSE.per_unit.sample(frac=1, random_state=1))
    assert checked(shuffled, WORSE)["beats the champion in NDCG@10"].measured.endswith("p 1.000")
    predictions = mailings(0.5)
    rows = offers(predictions.sample(frac=1, random_state=1)), offers(predictions)
    assert checked(*rows)["same units"].passed
    assert checked(*rows)["beats the champion in AUC"].measured.endswith("p 1.000")


def test_a_metric_that_was_not_measured_is_named() -> None:
    with pytest.raises(ValueError, match=r"EASE was not evaluated by mrr_at_5; it has ndcg_at_10, recall_at_10"):
        checked(BETTER, WORSE, Gate(primary="mrr_at_5"))
    with pytest.raises(
        ValueError, match=r"not evaluated by coverage_at_50, which gate.guards.recommendation.min_share"
    ):
        checked(BETTER, WORSE, guarding(min_share={"coverage_at_50": 0.9}))
    with pytest.raises(
        ValueError, match=r"coverage_at_10 has no values per unit and no resamples .* ndcg_at_10, recall"
    ):
        checked(BETTER, WORSE, Gate(primary="coverage_at_10"))
    one, other = embeddings({"age": 0.1, "spend": 1.0}), embeddings({"age": 1.0, "spend": 1.0})
    with pytest.raises(ValueError, match=r"hold no mean per unit.*set gate.guards.probing.activity_groups=0"):
        checked(one, other, guarding("probing", activity_groups=5))


@pytest.mark.parametrize("setting", [{"alpha": 0.0}, {"alpha": 1.5}, {"max_latency_ms": -1.0}])
def test_settings_out_of_range_are_named(setting: dict) -> None:
    with pytest.raises(ValueError, match=f"gate.{next(iter(setting))}="):
        Gate(**setting)


@pytest.mark.parametrize("setting", [{"activity_groups": -1}, {"min_share": {"coverage_at_10": -0.1}}])
def test_guards_out_of_range_are_named(setting: dict) -> None:
    with pytest.raises(ValueError, match=f"gate.guards: {next(iter(setting))}"):
        Guards(**setting)


def test_the_yaml_holds_the_defaults() -> None:
    settings = OmegaConf.load(CONFIGS / "registry/gate/default.yaml")
    gate = instantiate(settings)
    guards = {task: replace(guard, metrics=list(guard.metrics)) for task, guard in default_guards().items()}
    assert gate == Gate(guards=guards)
    assert instantiate(OmegaConf.merge(settings, {"alpha": 0.01})).alpha == 0.01


def test_users_without_a_value_in_either_do_not_count() -> None:
    candidate = with_values(BETTER, ndcg_at_10=np.full(100, np.nan))
    assert checked(candidate, WORSE)["beats the champion in NDCG@10"].measured == "– against –, p 1.000"
    some = BETTER.per_unit.copy()
    some.loc[some.index[:50], "ndcg_at_10"] = np.nan
    checks = checked(replace(BETTER, per_unit=pd.DataFrame(some)), WORSE)
    assert checks["beats the champion in NDCG@10"].measured == "0.5000 against 0.4000, p <0.001"
