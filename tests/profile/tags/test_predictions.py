"""Predictions of one customer: those of the propensity task and of the lifetime task, looked up."""

from pathlib import Path

import numpy as np
import pytest

from omniretail.dataset import Dataset
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.probing.probes import Probes
from omniretail.profile.propensity.evaluate import Propensity
from omniretail.profile.tags.predictions import CustomerPredictions
from omniretail.report.pages.customer import predictions_section
from omniretail.splits.temporal import Temporal
from tests.conftest import shop_events, tables_of


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    tables = tables_of(shop_events(n_users=60, n_days=300))
    return Dataset(tables, Temporal(28), tmp_path_factory.mktemp("cache"))


def test_a_customer_s_figures_are_those_of_the_tasks(data: Dataset) -> None:
    predictions, missing = CustomerPredictions(min_buyers=5).of("7", data, "test")
    by_name = {each.what: each for each in predictions}
    away = by_name["stays away for 28 days"]
    task = Propensity(Probes(n_seeds=1), {}, 5)
    table = task.evaluate(ProfileTable(), data, "test").findings.table()
    assert away.value == pytest.approx(float(table.p_churn[table.user_id.astype(str) == "7"].iloc[0]))
    assert away.everybody == pytest.approx(table.p_churn.mean())
    assert 0 <= away.error < 1
    assert by_name["purchases in the window (BG/NBD)"].value > 0
    assert np.isnan(by_name["purchases in the window (BG/NBD)"].error)
    assert missing == []
    (section,) = predictions_section(predictions)
    cells = section.named_tables()[0][1].cells
    assert cells["prediction"].str.contains("Stays away").any()
    assert (cells.calibration != "–").sum() == sum(each.unit == "probability" for each in predictions) - 1  # is alive


def test_what_cannot_be_predicted_is_said_in_a_sentence(data: Dataset, tmp_path: Path) -> None:
    predictions, missing = CustomerPredictions(min_buyers=5).of("nobody", data, "test")
    assert predictions == []
    assert [each.partition(":")[0] for each in missing] == ["No probabilities", "No lifetime value"]
    assert "customer nobody has no purchase before the cutoff" in missing[0]
    short = Dataset(tables_of(shop_events(n_users=20, n_days=40)), Temporal(28), tmp_path)
    _, missing = CustomerPredictions().of("7", short, "test")
    assert missing[0].startswith("No probabilities: ")
    (section,) = predictions_section([], missing)
    assert section.sentences == missing
    assert predictions_section([]) == []
