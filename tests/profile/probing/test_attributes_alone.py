"""Customers with attributes and a log too short for windows: a day of sessions."""

import numpy as np
import pandas as pd
import pytest

import omniretail as om
from omniretail.core.errors import DataError
from omniretail.profile.probing.targets import attribute_targets

N = 300
QUICK = ("task.probes.n_seeds=1", "task.n_folds=2")


def one_day(**others) -> om.Dataset:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(N), 5)
    item = rng.integers(0, 20, len(user)) + 20 * (user % 2)  # the even like other items than the odd
    seconds = pd.to_timedelta(rng.integers(0, 86_400, len(user)), unit="s")
    log = pd.DataFrame({"user_id": user, "item_id": item, "timestamp": pd.Timestamp("2024-05-01") + seconds})
    return om.Dataset.from_frames(log.assign(event_type="view"), **others)


def test_a_day_of_sessions_is_enough_for_attributes():
    users = pd.DataFrame({"user_id": np.arange(N), "group": np.where(np.arange(N) % 2, "odd", "even")})
    result = om.evaluate(om.models.CountSVD(dim=4), one_day(users=users), om.splits.Temporal(), *QUICK, task="probing")
    assert set(result.metrics.group) - {""} == {"group"}
    assert result.values()["group/auc"] > 0.95


def test_without_attributes_it_is_too_short():
    with pytest.raises(DataError, match="no events before"):
        om.evaluate(om.models.CountSVD(dim=4), one_day(), om.splits.Temporal(), *QUICK, task="probing")


def test_many_different_numbers_are_asked_about_by_their_quarters():
    users = pd.DataFrame({"age": [*range(20, 60), None], "children": [0, 1] * 20 + [2]})
    age, children = attribute_targets(users, {"age": "age", "children": "children"}, 5)
    assert len(age.classes) == 4
    assert np.nansum(age.truth, axis=0).tolist() == [10, 10, 10, 10]
    assert children.classes == ["0", "1"]
