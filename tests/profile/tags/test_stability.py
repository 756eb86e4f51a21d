import numpy as np
import pandas as pd
import pytest

from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags import earlier_table, learn, stability
from omniretail.views.profile.dictionary import FIXED
from tests.profile.tags.factories import by_hand, tag


def test_stability_by_hand() -> None:
    later, earlier = pd.DataFrame({"visits": [9.0, 9, 1, 9, 9]}), pd.DataFrame({"visits": [9.0, 1, 9, 9, np.nan]})
    tags = [tag("often", feature="visits", above=5), tag("never", feature="visits", above=99)]
    table = stability(learn(tags, later, FIXED), later, earlier, present=np.array([True] * 4 + [False]))
    # tagged before: 0, 2, 3; after: 0, 1, 3 of those four, and the fifth, who is new
    often = {"customers": 4, "share": 4 / 5, "tagged_before": 3, "retained": 2 / 3, "jaccard": 2 / 4}
    assert table.loc["often"].to_dict() == pytest.approx(often)
    assert table.loc["never", ["customers", "tagged_before"]].tolist() == [0, 0]
    assert table.loc["never", ["retained", "jaccard"]].isna().all()


def test_without_customers_or_a_past_there_are_no_shares() -> None:
    now = pd.DataFrame({"visits": [9.0]})
    learned = learn([tag(feature="visits", above=5)], now, FIXED)
    unknown = stability(learned, now, now * np.nan, present=np.array([False])).loc["some"]
    assert unknown["share"] == 1
    assert np.isnan(unknown["retained"])
    assert stability(learned, now[:0], now[:0], present=np.zeros(0, dtype=bool)).isna()["share"].all()


def test_the_earlier_table_has_no_later_event() -> None:
    train = by_hand({"a": [(40, 0, 0), (30, 1, 1), (1, 2, 1)], "b": [(3, 0, 0)]})
    profile = ProfileTable().fit(train)
    table, present = earlier_table(profile, train.histories, train.at, days=28)
    assert present.tolist() == [True, False]
    assert table.visits[0] == 2
    assert table.recency_days[0] == pytest.approx(2)
    assert np.isnan(table.visits[1])
