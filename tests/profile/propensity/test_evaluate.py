"""Propensities end to end on a small shop: what they may know, their shape, and whether they come true."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.core.errors import DataError
from omniretail.models.profiles.svd import CountSVD
from omniretail.models.recommenders.popular import Popular
from omniretail.profile.propensity.evaluate import Propensities, Propensity
from omniretail.schema import Tables
from omniretail.tasks import Evaluation
from tests.conftest import tables_of
from tests.profile.probing.factories import CUTOFF, END, LEVELS, ONE_SEED, WINDOW, dataset, log, shop


def evaluated(cache: Path, tables: Tables, min_buyers: int = 5, dim: int = 4) -> Evaluation:
    return Propensity(ONE_SEED, LEVELS, min_buyers).evaluate(CountSVD(dim=dim), dataset(cache, tables), "test")


def predicted(cache: Path, tables: Tables, min_buyers: int = 5) -> Propensities:
    return evaluated(cache, tables, min_buyers).findings


@pytest.fixture(scope="module")
def evaluation(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    return evaluated(tmp_path_factory.mktemp("cache"), shop())


@pytest.fixture(scope="module")
def propensities(evaluation: Evaluation) -> Propensities:
    return evaluation.findings


def test_the_table_has_a_row_per_customer_and_a_column_per_class(evaluation: Evaluation) -> None:
    table, events = evaluation.tables["propensities"], log()
    assert table.user_id.tolist() == sorted(events[events.timestamp < CUTOFF].user_id.unique())
    values = ["department_even", "department_odd", *(f"category_kind {number}" for number in range(4))]
    assert list(table) == ["user_id", "p_churn", "expected_spend", *(f"p_{value}" for value in values)]
    probabilities = table.filter(like="p_")
    assert ((probabilities > 0) & (probabilities < 1)).all(axis=None)
    assert (table.expected_spend >= 0).all()


def test_they_rank_customers(evaluation: Evaluation, propensities: Propensities) -> None:
    assert evaluation.result.value("churn/auc") > 0.65, "some come rarely"
    assert evaluation.result.value("department_propensity/auc") > 0.65, "half of them buy odd things"
    table, often = propensities.table(), propensities.ids >= 60
    assert table.expected_spend[often].mean() > 1.3 * table.expected_spend[~often].mean()


def test_metrics_before_and_after_and_their_means_per_customer(evaluation: Evaluation) -> None:
    result = evaluation.result
    names = [f"churn/{name}{part}" for name in ("brier", "log_loss", "ece") for part in ("", "_before")]
    spend = [f"spend/{name}{part}" for name in ("mae", "rmse", "spearman") for part in ("", "_before", "_own_rate")]
    assert {*names, *spend, "churn/auc", "category_propensity/ece_if_calibrated"} <= result.values().keys()
    assert {"churn/brier", "department_propensity/log_loss", "spend/mae"} <= set(result.per_unit)
    for name in result.per_unit:
        assert result.per_unit[name].mean() == pytest.approx(result.value(str(name))), name
    assert result.counts == {
        "customers": 119,
        "churn/classes": 1,
        "department_propensity/classes": 2,
        "category_propensity/classes": 4,
    }


def test_events_from_the_cutoff_on_change_metrics_and_not_one_bit_of_a_probability(
    propensities: Propensities, tmp_path: Path
) -> None:
    events = log()
    later = events.timestamp >= CUTOFF
    other = events.loc[~later | (events.user_id % 3 > 0)].copy()
    other.loc[other.timestamp >= CUTOFF, ["item_id", "value"]] = (1, 99.0)
    changed = predicted(tmp_path, shop(other))
    pd.testing.assert_frame_equal(changed.table(), propensities.table(), check_exact=True)
    for mine, theirs in zip(changed.reports, propensities.reports, strict=True):
        np.testing.assert_array_equal(mine.before, theirs.before)
        assert not np.array_equal(mine.truth, theirs.truth)
        assert mine.metrics["brier"] != pytest.approx(theirs.metrics["brier"])


def test_the_calibration_window_changes_calibrated_predictions_alone(
    propensities: Propensities, tmp_path: Path
) -> None:
    """Of customers whose own events stay as they are: embeddings depend on these alone."""
    events = log()
    calibration = events.timestamp.between(CUTOFF - WINDOW, CUTOFF, inclusive="left")
    removed = calibration & (events.user_id >= 90)
    changed = predicted(tmp_path, shop(events.loc[~removed]))
    assert propensities.spend is not None
    assert changed.spend is not None
    unchanged = np.isin(changed.ids, np.setdiff1d(changed.ids, events.user_id[removed]))
    same = np.isin(propensities.ids, changed.ids[unchanged])
    np.testing.assert_array_equal(changed.reports[0].before[unchanged], propensities.reports[0].before[same])
    np.testing.assert_array_equal(changed.spend.before[unchanged], propensities.spend.before[same])
    assert not np.allclose(changed.spend.after[unchanged], propensities.spend.after[same])
    assert changed.reports[0].after.mean() > propensities.reports[0].after.mean(), "more stayed away in that window"


def declining(n_users: int = 900) -> pd.DataFrame:
    """From the calibration window on, everybody comes less than half as often as before."""
    rng = np.random.default_rng(0)
    days = 180
    rate = 0.08 * (0.1 + np.arange(n_users) / n_users)
    visits = rng.random((n_users, days)) < rate[:, None] * np.where(np.arange(days) < days - 56, 1.0, 0.4)
    visits[:, 0] = True
    user, day = np.nonzero(visits)
    events = pd.DataFrame({"user_id": user, "timestamp": END - pd.to_timedelta(days - day, unit="D")})
    return events.assign(item_id=0, basket_id=np.arange(len(user)), event_type="purchase", channel="offline")


def test_calibration_corrects_what_changed_since_the_learning_window(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, tables_of(declining()), dim=1)
    assert evaluation.findings.spend is None, "the log has no amounts"
    assert list(evaluation.tables["propensities"]) == ["user_id", "p_churn"]
    (churn,) = evaluation.tables["classes"].to_dict("records")
    assert churn["method"] in ("platt", "isotonic")
    assert churn["predicted_before"] < churn["base_rate"] - 0.15
    assert abs(churn["predicted"] - churn["base_rate"]) < 0.05
    assert churn["ece"] < 0.05 < 0.15 < churn["ece_before"]
    assert churn["brier"] < churn["brier_before"] - 0.02
    assert churn["log_loss"] < churn["log_loss_before"]


def test_an_event_of_everybody_gets_its_base_rate(tmp_path: Path) -> None:
    """Everybody comes in the learning window; in the next ones, some do not."""
    learning = CUTOFF - 2 * WINDOW
    extra = log().drop_duplicates("user_id").assign(timestamp=learning, basket_id=-1)
    older = extra.assign(timestamp=learning - WINDOW, basket_id=-2)
    churn = predicted(tmp_path, shop(pd.concat([log(), extra, older], ignore_index=True))).reports[0]
    np.testing.assert_allclose(churn.before, 0.5 / 121)
    assert 0 < churn.truth.sum() < 120
    assert np.ptp(churn.after) == 0, "one probability for all stays one"


def test_classes_too_few_buy_are_left_out_and_counted(tmp_path: Path) -> None:
    propensities = predicted(tmp_path, shop(), min_buyers=100)
    assert [each.question for each in propensities.reports] == ["churn"]
    rare = "classes that too few or nearly all customers buy"
    assert propensities.left_out == {"department_propensity": {rare: 2}, "category_propensity": {rare: 4}}


def test_questions_about_a_missing_items_table_are_passed_over(tmp_path: Path) -> None:
    propensities = predicted(tmp_path, replace(shop(), items=None))
    assert [each.question for each in propensities.reports] == ["churn"]
    assert propensities.left_out == {}


def test_a_recommender_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"Popular has no embed\(\).*such as model=profile/table"):
        Propensity().evaluate(Popular(), dataset(tmp_path), "test")  # type: ignore[arg-type]
