"""Two looks at the same customers, a window apart."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omniretail.models.profiles.svd import CountSVD
from omniretail.profile.probing.evaluate import Probes
from omniretail.profile.windows import aligned, date_text, two_windows
from tests.conftest import tables_of
from tests.profile.probing.factories import CUTOFF, LEVELS, QUICK, SPLIT, WINDOW, log, shop


@pytest.mark.parametrize(("stage", "at"), [("test", CUTOFF), ("val", pd.Timestamp("2024-05-06"))])
def test_windows_lie_end_to_end(tmp_path: Path, stage, at: pd.Timestamp):
    found = two_windows(shop(), SPLIT, stage, tmp_path)
    assert (found.before.at, found.now.at) == (at.timestamp() - WINDOW.total_seconds(), at.timestamp())
    events = log()
    for window, start in ((found.window_before, at - WINDOW), (found.window, at)):
        expected = events[events.timestamp.between(start, start + WINDOW, inclusive="left")]
        assert sorted(window.to_pandas().basket_id) == sorted(expected.basket_id)
    assert found.before.histories.timestamp.max() < found.before.at
    assert found.now.histories.timestamp.max() < found.now.at


def test_later_histories_in_the_earlier_numbering(tmp_path: Path):
    """Item 5 is new in a's second basket, which also holds 9; her third holds nothing else; b is new."""
    rows = [("a", 60, 7, 0), ("a", 60, 9, 0), ("a", 40, 5, 1), ("a", 40, 9, 1), ("a", 35, 5, 2), ("a", 30, 7, 3)]
    rows += [("b", 31, 5, 4), ("b", 30, 9, 5), ("c", 90, 9, 6), ("c", 1, 9, 7)]
    events = pd.DataFrame(rows, columns=["user_id", "age", "item_id", "basket_id"])
    events["timestamp"] = CUTOFF + WINDOW - pd.to_timedelta(events.pop("age"), unit="D")
    tables = tables_of(events.assign(event_type="purchase", channel="offline"))
    found = two_windows(tables, SPLIT, "test", tmp_path)
    assert found.before.users.ids.tolist() == ["a", "c"]
    assert found.now.users.ids.tolist() == ["a", "b", "c"]
    known = aligned(found.now, found.before)
    assert known.user_idx.tolist() == [0, -1, 1]
    assert known.n_items == 2
    assert known.offsets.tolist() == [0, 4, 5, 6]
    assert found.before.items.ids[known.item_idx].tolist() == [7, 9, 9, 7, 9, 9]
    assert known.basket.tolist() == [0, 0, 1, 2, 0, 0]


def test_a_moment_for_people():
    assert date_text(1_717_372_800 + 3600) == "2024-06-03"


def test_an_encoder_is_questioned_about_the_test_window(tmp_path: Path):
    probes = Probes(protocol=QUICK, levels=LEVELS, at_least_buyers=5)
    examined = probes.take(CountSVD(dim=4), shop(), SPLIT, "test", tmp_path)
    result, looks = examined.result, examined.looks
    assert set(result.figures.question) == {"churn", "spend", "department_propensity", "category_propensity"}
    assert result.dim == 4
    value = result.figures[result.figures.probe == "blend"].set_index("question").value
    assert value["churn"] > 0.65
    assert value["department_propensity"] > 0.65
    churn = result.answers[result.answers.question == "churn"]
    events = log()
    came = events.user_id[events.timestamp >= CUTOFF]
    assert churn.user_id.tolist() == looks.now.users.ids.tolist()
    np.testing.assert_array_equal(churn.truth, ~churn.user_id.isin(came))
