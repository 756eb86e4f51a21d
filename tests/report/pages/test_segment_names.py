"""Names of segments: words for what sets them apart, no two alike."""

import pandas as pd

from omniretail.report.pages.segment_names import segment_names


def test_two_strongest_features_in_words_and_no_two_names_alike() -> None:
    rows = [(segment, feature, 1.0) for segment in (1, 2) for feature in ("items", "active_weeks", "visits_91")]
    rows += [(3, "share_department=DELI", -2.0), (3, "spend", -0.5)]
    numbers = pd.DataFrame(rows, columns=["segment", "feature", "d"])
    assert segment_names(numbers, 4, {}) == [
        "1 · Wide range, here in most weeks",
        "2 · Wide range, frequent lately",
        "3 · Small spenders, little Deli",
        "Segment 4",
    ]
