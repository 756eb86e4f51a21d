"""Shares of users, and of the time that pruning saves, worked by hand."""

import ibis
import numpy as np
import optuna
import pandas as pd
import pytest
from optuna.trial import FrozenTrial, TrialState

from omniretail.dataset import Dataset
from omniretail.schema import Tables
from omniretail.search.sampled_users import of_users
from omniretail.search.savings import share_of_time_saved


def trial(state: TrialState, seconds: float, *steps: float) -> FrozenTrial:
    attributes = {"seconds": seconds, "step_seconds": [[number, at] for number, at in enumerate(steps)]}
    return optuna.create_trial(state=state, value=0.5 if state == TrialState.COMPLETE else None, user_attrs=attributes)


def test_time_saved_by_epochs() -> None:
    finished = trial(TrialState.COMPLETE, 100.0, 25.0, 50.0, 75.0)
    stopped = trial(TrialState.PRUNED, 20.0, 20.0)  # a quarter of the way: it would have taken 80 s
    assert share_of_time_saved([finished, stopped], "epochs") == pytest.approx(1 - 120 / 180)


def test_samples_of_users_cost_time_too() -> None:
    finished = trial(TrialState.COMPLETE, 100.0, 10.0, 40.0)  # 60 s without its samples
    stopped = trial(TrialState.PRUNED, 10.0, 10.0)  # it would have taken 60 s
    assert share_of_time_saved([finished, stopped], "users") == pytest.approx(1 - 110 / 120)
    slow = trial(TrialState.COMPLETE, 200.0, 80.0, 140.0)
    assert share_of_time_saved([slow, trial(TrialState.PRUNED, 80.0, 80.0)], "users") < 0


def test_nothing_pruned_saves_nothing() -> None:
    assert np.isnan(share_of_time_saved([trial(TrialState.COMPLETE, 1.0, 0.5)], "epochs"))


def test_a_larger_share_holds_the_users_of_a_smaller_one(shop: Tables) -> None:
    users = ibis.memtable(pd.DataFrame({"user_id": range(40), "age": range(40)}))
    data = Dataset(Tables(shop.card, shop.events, users=users, items=shop.items, version="1f2e"))
    third, half = (of_users(data, share) for share in (0.3, 0.5))
    ids = [set(each.tables.events.user_id.to_pandas()) for each in (third, half, data)]
    assert ids[0] < ids[1] < ids[2]
    assert set(half.tables.users.user_id.to_pandas()) >= ids[1]  # type: ignore[union-attr]
    assert len({third.tables.version, half.tables.version, "1f2e"}) == 3
    assert third.tables.items is data.tables.items
    assert of_users(data, 1.0) is data
