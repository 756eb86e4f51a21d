"""Gains are tested against zero, and corrected over all tables for the same group."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from omniretail.metrics.significance import holm
from omniretail.report.compare import Report, gains_tested
from omniretail.report.tables.comparison_text import text_table
from omniretail.result import Result, metric_rows
from tests.report.results import CARD

RNG = np.random.default_rng(0)
REPORT = Report("all/gain", ["*/gain"])


def result(shift: float, target: str) -> Result:
    values = {f"{group}/gain": RNG.normal(shift, 0.1, 50) for group in ("all", "new_here")}
    rows = [metric_rows({"gain": each.mean()}, key.rpartition("/")[0]) for key, each in values.items()]
    users = pd.Index(range(50), name="user_id")
    protocol = {"target_channel": target}
    return Result(
        "Walk", "test", per_unit=pd.DataFrame(values, index=users), metrics=pd.concat(rows), protocol=protocol
    )


def test_gains_are_corrected_over_tables_for_the_same_group() -> None:
    results = [result(0.04, "shop"), result(0.03, "web")]
    parts = gains_tested([REPORT.compare([each], CARD, {}) for each in results])
    for group in ("all", "new_here"):
        raw = np.array([stats.ttest_1samp(each.per_unit[f"{group}/gain"], 0).pvalue for each in results])
        np.testing.assert_allclose([part.table[f"{group}/gain_p"].iloc[0] for part in parts], holm(raw))
    alone = REPORT.compare(results[:1], CARD, {})
    assert alone.table["all/gain_p"].iloc[0] == pytest.approx(
        stats.ttest_1samp(results[0].per_unit["all/gain"], 0).pvalue
    )
    text = text_table(alone.table).markdown()
    assert "| Walk | users | Gain |" in text
    assert "| all | 50 | +0.0" in text
    assert "p of a gain: how often luck alone would set it so far from zero" in text
