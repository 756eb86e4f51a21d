"""Models by customers' activity, and pairs of them tested in each group."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omniretail.metrics.significance import holm
from omniretail.report.tables.by_activity import by_activity
from omniretail.report.tables.comparison_text import cells, text_table
from omniretail.result import Result, metric_rows

N = 200
RNG = np.random.default_rng(0)
ACTIVE = np.arange(N) // 2
GROUPS = [f"{group} events (40 users)" for group in ("0–19", "20–39", "40–59", "60–79", "80–99")]


def result(model: str, values: np.ndarray) -> Result:
    per_user = pd.DataFrame({"ndcg_at_10": values, "n_history": ACTIVE}, index=pd.Index(range(N), name="user_id"))
    metrics = metric_rows({"ndcg_at_10": values.mean()})
    return Result(model, "test", per_unit=per_user, metrics=metrics, protocol={"source": "shop"})


BASE = RNG.random(N)
RESULTS = [
    result("Base", BASE),
    result("For the busy", BASE + np.where(ACTIVE >= 80, 0.2, 0.0) + RNG.normal(0, 0.05, N)),
    result("Same", BASE),
]
PAIRS = [("For the busy", "Base"), ("Same", "Base")]


def test_groups_differences_and_p_values_by_hand() -> None:
    table = by_activity(RESULTS, "ndcg_at_10", PAIRS)
    assert [column for column in table if column.endswith("/ndcg_at_10")] == [f"{g}/ndcg_at_10" for g in GROUPS]
    assert table.loc["Base", "ndcg_at_10"] == pytest.approx(BASE.mean())
    difference = (RESULTS[1].per_unit - RESULTS[0].per_unit).ndcg_at_10.to_numpy()
    busy, same = pd.DataFrame(table[table.against.notna()]).to_dict("records")
    raw = []
    for place, group in enumerate(GROUPS):
        inside, column = slice(40 * place, 40 * place + 40), f"{group}/ndcg_at_10"
        assert busy[column] == pytest.approx(difference[inside].mean())
        assert busy[f"{column}_low"] < busy[column] < busy[f"{column}_high"]
        raw.append([stats.ttest_1samp(difference[inside], 0).pvalue, 1.0])
    of_groups = [[row[f"{group}/ndcg_at_10_p"] for row in (busy, same)] for group in GROUPS]
    np.testing.assert_allclose(np.ravel(of_groups), holm(np.ravel(raw)))
    everybody = [stats.ttest_1samp(difference, 0).pvalue, 1.0]
    np.testing.assert_allclose([busy["ndcg_at_10_p"], same["ndcg_at_10_p"]], holm(np.array(everybody)))
    assert busy[f"{GROUPS[-1]}/ndcg_at_10_p"] < 0.001
    assert busy[f"{GROUPS[0]}/ndcg_at_10_p"] > 0.05


def test_cells_best_first_then_pairs() -> None:
    table = by_activity(RESULTS, "ndcg_at_10", PAIRS)
    shown = cells(table)
    assert list(shown) == ["model", "NDCG@10", "95 % interval", *GROUPS]
    assert shown.model.tolist() == ["For the busy", "Base", "Same", "For the busy − Base", "Same − Base"]
    assert shown[GROUPS[-1]].iloc[-2].endswith("(<0.001)")
    assert shown["NDCG@10"].iloc[-1] == "+0.0000 (1.000)"
    assert shown["95 % interval"].iloc[-1] == "0.0000–0.0000"
    legend = " ".join(text_table(table).sentences)
    assert "Holm-corrected: 2 times for all users, 10 times for the groups" in legend
    assert "not significantly different" not in legend


def test_every_other_model_against_one() -> None:
    for against in ("Base", "Bas"):  # a name, or how it starts
        assert by_activity(RESULTS, "ndcg_at_10", against=against).against.dropna().tolist() == ["Base", "Base"]
    assert by_activity(RESULTS, "ndcg_at_10").index[3:].tolist() == ["Base", "Same"]  # against the best


def test_refuses_unknown_names_and_results_without_a_history() -> None:
    with pytest.raises(ValueError, match="'Bose' is not among the models compared, which are Base, For the busy, Same"):
        by_activity(RESULTS, "ndcg_at_10", [("Same", "Bose")])
    without = Result("AUC", "test", metrics=metric_rows({"auc": 0.7}))
    with pytest.raises(ValueError, match="AUC has no auc and number of events per user"):
        by_activity([without, without.__class__("B", "test", metrics=without.metrics)], "auc")
