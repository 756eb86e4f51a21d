"""The charts of a comparison: which there are, and what they show."""

from dataclasses import replace

import numpy as np
import pytest

from omniretail.report.charts.customer_map import shown_values
from omniretail.report.charts.models import by_cost
from omniretail.report.charts.of_comparison import charts
from omniretail.report.charts.style import COLOURS, MAX_STYLES, line_styles
from omniretail.report.charts.sweep import curves
from omniretail.report.charts.wins import wins
from omniretail.report.tables.activity_groups import by_group, groups
from omniretail.report.tables.comparison import comparison
from omniretail.report.tables.protocol import merged
from tests.report.results import GROUPED, RESULTS, TABLE, WIDE, result


def test_only_the_charts_that_there_are_figures_for() -> None:
    columns = ["repeat_ndcg_at_10", "new_ndcg_at_10", "n_history"]
    bare = [
        replace(r, metrics=r.metrics[r.metrics.metric == "ndcg_at_10"], per_unit=r.per_unit.drop(columns=columns))
        for r in RESULTS
    ]
    table = comparison(bare, [], "ndcg_at_10")
    of_models = ["NDCG@10 by model", "NDCG@10 against cost"]
    assert [chart.title for chart in charts(table, merged(bare))] == [*of_models, "Who wins against whom"]
    of_groups = [chart.title for chart in charts(WIDE, merged(GROUPED))]
    assert of_groups == ["Churn AUC by model", "Churn AUC against cost", "AUC by group"] or len(of_groups) == 3
    assert len(list(charts(TABLE, merged(RESULTS)))) == 7


def test_the_line_of_the_best_per_cost_goes_down_for_a_loss() -> None:
    cheap, dear = (replace(GROUPED[i], cost={"fit_s": s}) for i, s in ((0, 1.0), (1, 9.0)))
    for primary, ends in (("churn/auc", (0.6, 0.7)), ("churn/brier", (0.3, 0.2))):
        spec = by_cost(comparison([cheap, dear], [], primary)).spec.to_dict()
        line = spec["datasets"][spec["layer"][-1]["data"]["name"]]
        np.testing.assert_allclose((line[0]["value"], line[-1]["value"]), ends)


def test_wins_are_counted_unit_by_unit() -> None:
    one, other = result("A", 0.1, n_users=4), result("B", 0.1, n_users=4)
    one.per_unit["ndcg_at_10"], other.per_unit["ndcg_at_10"] = [0.5, 0.5, 0.2, 0.1], [0.1, 0.5, 0.1, 0.4]
    frame = wins(comparison([one, other], [], "ndcg_at_10"), merged([one, other])).set_index(["model", "against"])
    assert frame.loc[("A", "B"), ["wins", "losses", "ties"]].tolist() == [0.5, 0.25, 0.25]
    assert frame.loc[("B", "A"), ["wins", "losses", "ties"]].tolist() == [0.25, 0.5, 0.25]


def test_a_curve_for_every_number_that_was_varied() -> None:
    runs = [
        result(
            "KNN", 0.1 + k / 1000 + shrink / 100, parameters=f"k={k} kind=cosine shrink={shrink}", run_id=f"{k}{shrink}"
        )
        for k in (10, 20, 40)
        for shrink in (0, 1)
    ]
    table = comparison(runs, [], "ndcg_at_10")
    (curve,) = curves(table, merged(runs), dict.fromkeys(map(str, table.index), "KNN"))
    assert curve.setting == "k"
    assert curve.frame.setting.tolist() == [10, 10, 20, 20, 40, 40]
    assert set(curve.frame.others) == {"shrink=0", "shrink=1"}
    assert "highest k that was tried, 40" in curve.edge()


@pytest.mark.parametrize("n", [8, 14, 40])
def test_a_model_looks_the_same_whatever_the_baseline_s_place(n: int) -> None:
    names = [f"M{i}" for i in range(n)]
    styles = line_styles([*names[:3], "Popular", *names[3:]], baseline="Popular")
    assert {name: styles[name] for name in names} == line_styles(names)
    assert len(set(styles.values())) == n + 1


def test_as_many_curves_as_are_shown_together_have_colours_of_their_own() -> None:
    colours = {style.colour for style in line_styles([f"M{i}" for i in range(MAX_STYLES)]).values()}
    assert colours == set(COLOURS)
    assert len(colours) == MAX_STYLES


def test_a_map_names_rare_and_unknown_values() -> None:
    import pandas as pd

    values = pd.Series(["many"] * 30 + ["rare"] * 3 + [None])
    assert set(shown_values(values, 20)) == {"many", "others or unknown"}
    assert set(shown_values(values.dropna(), 20)) == {"many", "others"}


def test_groups_keep_users_of_equal_activity_together() -> None:
    n_history = np.array([0] * 50 + [1] * 30 + list(range(2, 22)))
    grouped = groups(n_history, n_groups=5)
    assert sum(grouped.sizes) == 100
    assert grouped.names[0] == "0"
    assert all(len(np.unique(grouped.of[n_history == n])) == 1 for n in np.unique(n_history))
    assert groups(np.array([3, 3]), n_groups=5).names == ["3"]


def test_group_means_and_intervals() -> None:
    grouped = groups(np.arange(100), n_groups=2)
    values = np.where(np.arange(100) < 50, 0.2, np.nan)
    table = by_group({"a": np.full(100, 0.5), "b": values}, grouped).set_index(["name", "group"])
    assert table.loc[("a", 0)].tolist() == [0.5, 0.5, 0.5]
    assert table.loc[("b", 0)].tolist() == pytest.approx([0.2, 0.2, 0.2])
    assert table.loc[("b", 1)].isna().all()
