import numpy as np
import pandas as pd
import pytest

from omniretail.profile.segments.evaluate import Snapshot, segment_customers
from omniretail.report.pages.segments_summary import apart, feature_words
from omniretail.views.profile.dictionary import ALL, Feature

KINDS = np.repeat([0, 1], [60, 40])


def look(kinds: np.ndarray, ids: np.ndarray, seed: int = 0) -> Snapshot:
    """Customers of two kinds, far from each other; the second kind spends more."""
    rng = np.random.default_rng(seed)
    points = 10 * np.eye(4)[kinds] + rng.normal(size=(len(kinds), 4))
    table = pd.DataFrame({"spend": 100.0 * kinds + rng.normal(size=len(kinds)), "tenure": rng.normal(size=len(kinds))})
    return Snapshot(ids, points, table)


def test_who_moves_and_who_is_new():
    later = np.concatenate([KINDS, [1, 1]])
    later[:6] = 1  # six of the first kind went over, and two customers are new
    found = segment_customers(look(KINDS, np.arange(100)), look(later, np.arange(102), seed=1))
    assert found.segments.n_segments == 2
    np.testing.assert_allclose(found.kept, [0.9, 1.0])
    np.testing.assert_array_equal(found.sizes_now, [54, 48])
    customers = found.customers()
    assert customers.user_id[customers.segment_before.isna()].tolist() == [100, 101]
    assert customers.segment.tolist() == (later + 1).tolist()


def test_customers_are_matched_by_id():
    order = np.random.default_rng(3).permutation(100)
    first, second = look(KINDS, np.arange(100)), look(KINDS, np.arange(100), seed=1)
    mixed = Snapshot(second.ids[order], second.embeddings[order], second.table.iloc[order])
    found = segment_customers(first, mixed)
    assert found.over_time.assigned == 1.0
    np.testing.assert_array_equal(found.before, found.now)
    with pytest.raises(ValueError, match="10 customers of the first moment are missing at the second"):
        segment_customers(first, Snapshot(second.ids[10:], second.embeddings[10:], second.table.iloc[10:]))


def test_figures_tell_recent_features_from_those_that_grow():
    first, second = look(KINDS, np.arange(100)), look(KINDS, np.arange(100))
    grown = Snapshot(second.ids, second.embeddings, second.table.assign(tenure=second.table.tenure + 9))
    found = segment_customers(first, grown)
    metrics = found.metrics(recent=["spend"])
    assert metrics["psi_max"] > 1
    assert metrics["psi_max_recent"] == 0
    assert "psi_max_recent" not in found.metrics()
    assert metrics["domain_auc"] == pytest.approx(0.5, abs=0.05)


def test_a_number_of_segments_can_be_asked_for():
    first, second = look(KINDS, np.arange(100)), look(KINDS, np.arange(100), seed=1)
    two = segment_customers(first, second, n_segments=2)
    assert two.segments.note.startswith("2 segments were asked for; the prediction strength of 2 is 1.00")
    five = segment_customers(first, second, n_segments=5, min_customers=35).segments
    assert five.n_segments <= 2
    assert f"{five.n_segments} of them have 35 customers or more" in five.note
    assert segment_customers(first, second, n_segments=1).segments.note == "One segment was asked for."
    with pytest.raises(ValueError, match="n_segments takes a whole number from 1, not 0"):
        segment_customers(first, second, n_segments=0)


def test_what_sets_apart_in_words():
    profile = look(KINDS, np.arange(100)).table.assign(loyal=KINDS == 1)[["spend", "loyal"]]
    words = feature_words([Feature("spend", "paid; not owed", "91 days", "currency")], "USD") | {"loyal": "tag “Loyal”"}
    found = apart(profile, KINDS + 1, words)
    assert found[2][0].startswith("↑ paid, 91 days, USD: ")
    assert found[2][1] == "↑ tag “Loyal”: 100.0 %, others 0.0 %"
    assert found[1][1] == "↓ tag “Loyal”: 0.0 %, others 100.0 %"
    assert "Fewer than 50 customers" in apart(profile, KINDS + 1, words, min_customers=50)[2][0]
    assert feature_words([Feature("visits", "baskets", ALL, "count")]) == {"visits": "baskets"}
