"""The plots of a comparison: which there are, and that they can be read."""

from dataclasses import replace
from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.text import Annotation, Text

from omniretail.report.plots.captions import plots
from omniretail.report.plots.comparison import (
    accuracy_by_activity,
    accuracy_by_cost,
    accuracy_by_coverage,
    lift_by_activity,
)
from omniretail.report.plots.label_placement import spread
from omniretail.report.plots.style import line_styles
from omniretail.report.tables.activity_groups import by_group, groups
from omniretail.report.tables.comparison import comparison
from omniretail.report.tables.protocol import merged
from tests.report.results import GROUPED, RESULTS, SHOWN, TABLE, WIDE, result


def test_only_the_plots_that_there_are_figures_for() -> None:
    columns = ["repeat_ndcg_at_10", "new_ndcg_at_10"]
    bare = [
        replace(r, metrics=r.metrics[r.metrics.metric == "ndcg_at_10"], per_unit=r.per_unit.drop(columns=columns))
        for r in RESULTS
    ]
    table = comparison(bare, [], "ndcg_at_10")
    assert [plot.name for plot in plots(table, merged(bare))] == ["accuracy", "cost"]
    assert [plot.name for plot in plots(WIDE, merged(GROUPED))] == ["accuracy", "cost", "groups_auc"]


def test_plots_leave_no_global_state() -> None:
    before = dict(matplotlib.rcParams)
    accuracy_by_activity(RESULTS[0], "ndcg_at_10")
    names = [plot.name for plot in plots(TABLE, merged(RESULTS))]
    assert names == ["accuracy", "cost", "coverage", "activity", "repeat_and_new"]
    assert dict(matplotlib.rcParams) == before


def test_the_line_of_the_best_per_cost_goes_down_for_a_loss() -> None:
    cheap, dear = (replace(GROUPED[i], cost={"fit_s": s}) for i, s in ((0, 1.0), (1, 9.0)))
    for primary, ends in (("churn/auc", (0.6, 0.7)), ("churn/brier", (0.3, 0.2))):
        front = accuracy_by_cost(comparison([cheap, dear], [], primary)).axes[0].lines[0].get_ydata()
        np.testing.assert_allclose((front[0], front[-1]), ends)


@pytest.mark.parametrize("plot", [accuracy_by_coverage, lift_by_activity])
def test_labels_do_not_overlap(plot) -> None:
    crowd = [result(f"Model number {i}", 0.2 + 0.004 * (i % 4)) for i in range(12)] + [result("Popular", 0.1)]
    figure = plot(comparison(crowd, SHOWN, "ndcg_at_10", "Popular"), merged(crowd))
    figure.draw_without_rendering()
    labels = [Text.get_window_extent(label) for label in figure.axes[0].findobj(Annotation)]
    assert len(labels) >= 5
    assert not any(a.overlaps(b) for a, b in combinations(labels, 2))


def test_labels_are_spread_in_order() -> None:
    wanted = np.array([0.0, 0.1, 0.2, 5.0])
    placed = spread(wanted, room=1.0)
    assert (np.diff(placed) >= 1.0 - 1e-9).all()
    assert placed[3] == 5.0
    np.testing.assert_array_equal(spread(np.array([0.0, 3.0]), room=1.0), [0.0, 3.0])


def test_a_model_looks_the_same_whatever_the_baseline_s_place() -> None:
    names = [f"M{i}" for i in range(14)]
    styles = line_styles([*names[:3], "Popular", *names[3:]], baseline="Popular")
    assert {name: styles[name] for name in names} == line_styles(names, baseline=None)
    assert len(set(styles.values())) == 15


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
