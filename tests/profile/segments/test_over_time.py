"""Segments at two cutoffs: who moves, who is new, what drifts, and what distinguishes them in words."""

import numpy as np
import pytest

from omniretail.profile.segments.over_time import EmbeddedCustomers, segment_customers
from omniretail.report.pages.segments_text import distinguishing_features, feature_labels
from omniretail.views.profile.dictionary import ALL, Feature
from tests.profile.segments.factories import KINDS, customers


def test_who_moves_and_who_is_new() -> None:
    later = np.concatenate([KINDS, [1, 1]])
    later[:6] = 1  # six of the first kind change, and two customers are new
    segmented = segment_customers(customers(), customers(later, seed=1))
    assert segmented.segments.n_segments == 2
    np.testing.assert_allclose(segmented.stayed, [0.9, 1.0])
    np.testing.assert_array_equal(segmented.sizes_later, [54, 48])
    table = segmented.table()
    assert table.user_id[table.segment_before.isna()].tolist() == [100, 101]
    assert table.segment.tolist() == (later + 1).tolist()
    stayed = segmented.per_customer().stayed
    assert stayed.isna().sum() == 2
    assert segmented.metrics()["stayed"] == stayed.mean() == pytest.approx(0.94)


def test_customers_are_matched_by_id() -> None:
    order = np.random.default_rng(3).permutation(100)
    first, second = customers(), customers(seed=1)
    mixed = EmbeddedCustomers(second.ids[order], second.embeddings[order], second.table.iloc[order])
    segmented = segment_customers(first, mixed)
    assert segmented.over_time.assigned == 1.0
    np.testing.assert_array_equal(segmented.earlier, segmented.later)
    fewer = EmbeddedCustomers(second.ids[10:], second.embeddings[10:], second.table.iloc[10:])
    with pytest.raises(ValueError, match="10 customers of the earlier cutoff are missing at the later one"):
        segment_customers(first, fewer)


def test_metrics_separate_features_of_fixed_windows_from_those_that_grow() -> None:
    second = customers()
    grown = EmbeddedCustomers(second.ids, second.embeddings, second.table.assign(tenure=second.table.tenure + 9))
    segmented = segment_customers(customers(), grown)
    metrics = segmented.metrics(recent=["spend"])
    assert metrics["psi_max"] > 1
    assert metrics["psi_max_recent"] == 0
    assert "psi_max_recent" not in segmented.metrics()
    assert metrics["domain_auc"] == pytest.approx(0.5, abs=0.05)


def test_resamples_spread_around_the_index() -> None:
    later = KINDS.copy()
    later[:12] = 1
    segmented = segment_customers(customers(), customers(later, seed=1))
    resampled = segmented.resampled().ari_time
    assert len(resampled) == 100
    assert resampled.mean() == pytest.approx(segmented.metrics()["ari_time"], abs=0.05)
    assert 0.01 < resampled.std() < 0.2


def test_the_number_of_segments_can_be_set() -> None:
    first, second = customers(), customers(seed=1)
    two = segment_customers(first, second, n_segments=2)
    assert two.segments.note.startswith("The number of segments is set to 2; the prediction strength of 2 is 1.00")
    five = segment_customers(first, second, n_segments=5, min_customers=35).segments
    assert five.n_segments <= 2
    assert f"{five.n_segments} of them have 35 customers or more" in five.note
    assert segment_customers(first, second, n_segments=1).segments.note == "The number of segments is set to one."
    with pytest.raises(ValueError, match="n_segments takes a whole number from 1, not 0"):
        segment_customers(first, second, n_segments=0)


def test_what_distinguishes_segments_in_words() -> None:
    profile = customers().table.assign(loyal=KINDS == 1)[["spend", "loyal"]]
    labels = feature_labels([Feature("spend", "paid; not owed", "91 days", "currency")], "USD") | {
        "loyal": "tag “Loyal”"
    }
    phrases = distinguishing_features(profile, KINDS + 1, labels)
    assert phrases[2][0].startswith("↑ paid, 91 days, USD: ")
    assert phrases[2][1] == "↑ tag “Loyal”: 100.0 %, others 0.0 %"
    assert phrases[1][1] == "↓ tag “Loyal”: 0.0 %, others 100.0 %"
    assert "Fewer than 50 customers" in distinguishing_features(profile, KINDS + 1, labels, min_customers=50)[2][0]
    assert feature_labels([Feature("visits", "baskets", ALL, "count")]) == {"visits": "baskets"}
