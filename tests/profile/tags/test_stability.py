import numpy as np
import pandas as pd
import pytest

from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags import earlier, learn, stability
from omniretail.views.profile.dictionary import FIXED
from tests.profile.tags.factories import by_hand, tag


def test_stability_by_hand():
    now, then = pd.DataFrame({"visits": [9.0, 9, 1, 9, 9]}), pd.DataFrame({"visits": [9.0, 1, 9, 9, np.nan]})
    tags = [tag("often", feature="visits", above=5), tag("never", feature="visits", above=99)]
    table = stability(learn(tags, now, FIXED), now, then, known=np.array([True] * 4 + [False]))
    # tagged then 0, 2, 3; now 0, 1, 3 of those four, and the fifth who is new
    often = {"customers": 4, "share": 4 / 5, "before": 3, "kept": 2 / 3, "jaccard": 2 / 4}
    assert table.loc["often"].to_dict() == pytest.approx(often)
    assert table.loc["never", ["customers", "before"]].tolist() == [0, 0]
    assert table.loc["never", ["kept", "jaccard"]].isna().all()


def test_without_customers_or_a_past_there_are_no_shares():
    now = pd.DataFrame({"visits": [9.0]})
    found = learn([tag(feature="visits", above=5)], now, FIXED)
    unknown = stability(found, now, now * np.nan, known=np.array([False])).loc["some"]
    assert unknown["share"] == 1
    assert np.isnan(unknown["kept"])
    assert stability(found, now[:0], now[:0], known=np.zeros(0, dtype=bool)).isna()["share"].all()


def test_the_earlier_look_knows_nothing_of_what_came_after():
    train = by_hand({"a": [(40, 0, 0), (30, 1, 1), (1, 2, 1)], "b": [(3, 0, 0)]})
    profile = ProfileTable().fit(train)
    then, known = earlier(profile, train.histories, train.at, days=28)
    assert known.tolist() == [True, False]
    assert then.visits[0] == 2
    assert then.recency_days[0] == pytest.approx(2)
    assert np.isnan(then.visits[1])
