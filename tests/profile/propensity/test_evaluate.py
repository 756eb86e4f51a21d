"""Probabilities end to end on a small shop: what they may know, their shape, and whether they come true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.models.profiles.svd import CountSVD
from omniretail.profile.propensity.evaluate import Propensities, propensities
from omniretail.schema import Tables
from tests.conftest import tables_of
from tests.profile.probing.factories import CUTOFF, END, LEVELS, QUICK, SPLIT, WINDOW, log, shop


def promised(cache: Path, tables: Tables, at_least: int = 5) -> Propensities:
    return propensities(CountSVD(dim=4), tables, SPLIT, cache, LEVELS, at_least, QUICK)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Propensities:
    return promised(tmp_path_factory.mktemp("cache"), shop())


def test_the_table_has_a_row_per_customer_known_and_a_column_per_question(found: Propensities):
    table, events = found.table(), log()
    assert table.user_id.tolist() == sorted(events[events.timestamp < CUTOFF].user_id.unique())
    words = ["department_even", "department_odd", *(f"category_kind {number}" for number in range(4))]
    assert list(table) == ["user_id", "p_churn", "expected_spend", *(f"p_{word}" for word in words)]
    chances = table.filter(like="p_")
    assert ((chances > 0) & (chances < 1)).all(axis=None)
    assert (table.expected_spend >= 0).all()


def test_they_tell_customers_apart(found: Propensities):
    assert found.spending is not None
    auc = found.summary().set_index("question").auc
    assert auc["churn"] > 0.65, "some come rarely"
    assert auc["department_propensity"] > 0.65, "half of them take odd things"
    table, often = found.table(), found.ids >= 60
    assert table.expected_spend[often].mean() > 1.3 * table.expected_spend[~often].mean()


def test_events_from_the_cutoff_on_change_figures_and_not_one_bit_of_a_probability(found: Propensities, tmp_path: Path):
    events = log()
    later = events.timestamp >= CUTOFF
    other = events.loc[~later | (events.user_id % 3 > 0)].copy()
    other.loc[other.timestamp >= CUTOFF, ["item_id", "value"]] = (1, 99.0)
    after = promised(tmp_path, shop(other))
    pd.testing.assert_frame_equal(after.table(), found.table(), check_exact=True)
    for mine, theirs in zip(after.promises, found.promises, strict=True):
        np.testing.assert_array_equal(mine.before, theirs.before)
        assert not np.array_equal(mine.truth, theirs.truth)
    assert not np.allclose(after.figures().brier, found.figures().brier)


def test_the_calibration_window_moves_what_is_said_after_calibration_alone(found: Propensities, tmp_path: Path):
    """Of customers whose own events stay as they are: embeddings hang on them alone."""
    events = log()
    calibration = events.timestamp.between(CUTOFF - WINDOW, CUTOFF, inclusive="left")
    gone = calibration & (events.user_id >= 90)
    after = promised(tmp_path, shop(events.loc[~gone]))
    assert found.spending is not None
    assert after.spending is not None
    kept = np.isin(after.ids, np.setdiff1d(after.ids, events.user_id[gone]))
    same = np.isin(found.ids, after.ids[kept])
    np.testing.assert_array_equal(after.promises[0].before[kept], found.promises[0].before[same])
    np.testing.assert_array_equal(after.spending.before[kept], found.spending.before[same])
    assert not np.allclose(after.spending.after[kept], found.spending.after[same])
    assert after.promises[0].after.mean() > found.promises[0].after.mean(), "more stayed away in that window"


def fading(n_users: int = 900) -> pd.DataFrame:
    """From the calibration window on, everybody comes half as often as before."""
    rng = np.random.default_rng(0)
    days = 180
    rate = 0.08 * (0.1 + np.arange(n_users) / n_users)
    came = rng.random((n_users, days)) < rate[:, None] * np.where(np.arange(days) < days - 56, 1.0, 0.4)
    came[:, 0] = True
    user, day = np.nonzero(came)
    events = pd.DataFrame({"user_id": user, "timestamp": END - pd.to_timedelta(days - day, unit="D")})
    return events.assign(item_id=0, basket_id=np.arange(len(user)), event_type="purchase", channel="offline")


def test_calibration_mends_what_changed_since_the_window_learned_from(tmp_path: Path):
    found = propensities(CountSVD(dim=1), tables_of(fading()), SPLIT, tmp_path, LEVELS, 5, QUICK)
    assert found.spending is None, "the log has no amounts"
    assert list(found.table()) == ["user_id", "p_churn"]
    (churn,) = found.figures().to_dict("records")
    assert churn["method"] in ("platt", "isotonic")
    assert churn["promised_before"] < churn["base_rate"] - 0.15
    assert abs(churn["promised"] - churn["base_rate"]) < 0.05
    assert churn["ece"] < 0.05 < 0.15 < churn["ece_before"]
    assert churn["brier"] < churn["brier_before"] - 0.02
    assert churn["log_loss"] < churn["log_loss_before"]


def test_what_all_did_alike_gets_its_base_rate(tmp_path: Path):
    """Everybody comes in the window learned from; in the next ones, some do not."""
    learned = CUTOFF - 2 * WINDOW
    extra = log().drop_duplicates("user_id").assign(timestamp=learned, basket_id=-1)
    older = extra.assign(timestamp=learned - WINDOW, basket_id=-2)
    found = promised(tmp_path, shop(pd.concat([log(), extra, older], ignore_index=True)))
    churn = found.promises[0]
    np.testing.assert_allclose(churn.before, 0.5 / 121)
    assert 0 < churn.truth.sum() < 120
    assert np.ptp(churn.after) == 0, "one promise for all stays one"


def test_words_too_few_buy_are_left_out_and_counted(tmp_path: Path):
    found = promised(tmp_path, shop(), at_least=100)
    assert [each.question for each in found.promises] == ["churn"]
    rare = "words that too few or nearly all buy"
    assert found.left_out == {"department_propensity": {rare: 2}, "category_propensity": {rare: 4}}
    assert set(found.summary().question) == {"churn"}


def test_questions_of_an_item_table_that_is_not_there_are_passed_over(tmp_path: Path):
    found = promised(tmp_path, replace(shop(), items=None))
    assert [each.question for each in found.promises] == ["churn"]
    assert found.left_out == {}
