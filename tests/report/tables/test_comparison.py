from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omniretail.metrics.significance import bootstrap_test, holm
from omniretail.report.tables.comparison import comparison, costs_of, metrics_tested
from omniretail.report.tables.protocol import averaged, merged, named_model
from tests.report.results import GROUPED, PROTOCOL, RESULTS, SHOWN, TABLE, WIDE, result


def test_best_first_with_means_and_intervals() -> None:
    means = pd.Series({r.model: r.per_unit.ndcg_at_10.mean() for r in RESULTS}).sort_values(ascending=False)
    assert list(TABLE.index) == list(means.index)
    np.testing.assert_allclose(TABLE.ndcg_at_10, means)
    assert (TABLE.ndcg_at_10_low < TABLE.ndcg_at_10).all()
    assert (TABLE.ndcg_at_10 < TABLE.ndcg_at_10_high).all()
    assert TABLE.loc["EASE", "coverage_at_10"] == 0.3
    assert TABLE.coverage_at_10_low.isna().all()
    assert costs_of(TABLE) == ["fit_s", "score_s", "peak_memory_mb"]


def test_tests_are_paired_and_adjusted() -> None:
    values = {r.model: r.per_unit.ndcg_at_10 for r in RESULTS}
    for column, reference in (("p_best", TABLE.index[0]), ("p_baseline", "Popular")):
        others = [name for name in TABLE.index if name != reference]
        expected = holm(np.array([stats.ttest_rel(values[name], values[reference]).pvalue for name in others]))
        np.testing.assert_allclose(TABLE.loc[others, column], expected, rtol=1e-6)
        assert np.isnan(TABLE.loc[reference, column])


def test_metrics_that_are_no_means_are_tested_by_their_resamples() -> None:
    chance, table, copy = GROUPED
    assert list(WIDE.index) == ["Copy", "Table", "Chance"]
    draws = np.stack([(copy.resampled["spend/auc"] - other.resampled["spend/auc"]) for other in (table, chance)])
    gaps = np.array([copy.value("spend/auc") - other.value("spend/auc") for other in (table, chance)])
    raw = bootstrap_test(gaps, draws)
    assert raw[1] < 1e-6
    assert WIDE["spend/auc_p"].isna().tolist() == [False, False, True]  # less is left of spend where churn is better
    assert (WIDE.loc[["Copy", "Table"], "spend/auc_p"] < 1e-6).all()
    assert WIDE.loc["Table", "p_best"] == 1.0
    assert (WIDE.test == "paired bootstrap").all()
    assert WIDE.loc["Copy", "churn/auc_low"] == 0.5


def test_the_best_of_a_loss_is_the_lowest() -> None:
    table = comparison(GROUPED, [], "churn/brier", "Chance", tested=["churn/brier"])
    assert list(table.index) == ["Copy", "Table", "Chance"]
    assert table["churn/brier_p"].isna().tolist() == [True, False, False]
    assert metrics_tested(table) == ["churn/brier"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": "val"}, r"stage: 'test' \(Popular\) against 'val' \(EASE\)"),
        ({"data": "2a"}, "data: '1f'"),
        ({"policy": ""}, r"policy: 'AllowSeen' \(Popular\) ag"),
        ({"trainer": "8 epochs"}, r"trainer: '' \(Popular\) against '8 epochs'"),
    ],
)
def test_refuses_different_protocols(change: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        comparison([result("Popular", 0.1), result("EASE", 0.3, protocol=PROTOCOL | change)], [], "ndcg_at_10")


def test_refuses_what_was_not_measured() -> None:
    with pytest.raises(ValueError, match=r"Popular was not judged by mrr_at_10; it has ndcg_at_10, recall_at_10"):
        comparison(RESULTS, ["mrr_at_10"], "ndcg_at_10")
    with pytest.raises(ValueError, match="no results"):
        comparison([], [], "ndcg_at_10")


def test_a_metric_without_values_per_unit_or_resamples_is_not_tested() -> None:
    table = comparison(RESULTS, [], "coverage_at_10", "Popular")
    assert table.index[0] == "EASE"
    assert table[["p_best", "p_baseline"]].isna().to_numpy().all()
    assert (table.test == "").all()


def test_seeds_are_averaged_per_user() -> None:
    runs = [result("BPR", 0.2, seed) for seed in range(3)]
    table = comparison([result("Popular", 0.1), *runs], [], "ndcg_at_10")
    means = [r.per_unit.ndcg_at_10.mean() for r in runs]
    assert table.loc["BPR", "seeds"] == 3
    assert table.loc["BPR", "ndcg_at_10"] == pytest.approx(np.mean(means))
    assert table.loc["BPR", "primary_seed_sd"] == pytest.approx(np.std(means, ddof=1))
    alone = comparison([result("Popular", 0.1), runs[0]], [], "ndcg_at_10")
    width = table.ndcg_at_10_high - table.ndcg_at_10_low
    assert width["BPR"] < alone.loc["BPR", "ndcg_at_10_high"] - alone.loc["BPR", "ndcg_at_10_low"]


def test_seeds_are_averaged_per_unit_of_several_ids() -> None:
    mailings = pd.MultiIndex.from_product([["a", "b"], ["x", "y"]], names=["user_id", "offer_id"])
    runs = [
        replace(result("Blend", 0.2), seed=seed, per_unit=pd.DataFrame({"ndcg_at_10": values}, index=mailings))
        for seed, values in enumerate(([0.0, 0.2, 0.4, 0.6], [0.2, 0.4, 0.6, 0.8]))
    ]
    np.testing.assert_allclose(averaged("Blend", runs).per_unit.ndcg_at_10, [0.1, 0.3, 0.5, 0.7])
    assert comparison(runs, [], "ndcg_at_10").unit.tolist() == ["mailings"]


def test_runs_of_one_model_are_told_apart() -> None:
    runs = [result("EASE", q, run_id=run) for q, run in ((0.2, "aaaa1111ffff"), (0.3, "bbbb2222ffff"), (0.1, ""))]
    assert list(merged(runs)) == ["EASE aaaa1111", "EASE bbbb2222", "EASE #3"]
    with pytest.raises(ValueError, match="aaaa1111ffff of EASE is there twice"):
        merged([runs[0], runs[0]])


def test_a_model_is_named_by_how_its_name_starts() -> None:
    names = ["EASE aaaa1111", "EASE bbbb2222", "Popular", "PopularAgain"]
    assert named_model("EASE b", names) == "EASE bbbb2222"
    assert named_model("Popular", names) == "Popular"
    with pytest.raises(ValueError, match="could be EASE aaaa1111 or EASE bbbb2222"):
        named_model("EASE", names)
    with pytest.raises(ValueError, match="'SLIM' is not among the models compared, which are EASE aaaa1111, EASE"):
        named_model("SLIM", names)


def test_users_are_matched_by_id() -> None:
    shuffled = [replace(r, per_unit=r.per_unit.sample(frac=1, random_state=1)) for r in RESULTS]
    again = comparison(shuffled, SHOWN, "ndcg_at_10", "Popular")
    np.testing.assert_allclose(again[["ndcg_at_10", "p_best"]], TABLE[["ndcg_at_10", "p_best"]])
