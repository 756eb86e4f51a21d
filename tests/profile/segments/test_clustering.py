import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from omniretail.profile.segments.clustering import assign, fit_segments
from omniretail.profile.segments.stability import sample_stability, seed_stability, time_stability


def blobs(sizes: tuple[int, ...], seed: int = 0, n_columns: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Customers around far centres, shuffled, and whose centre is whose."""
    rng = np.random.default_rng(seed)
    centres = 10 * np.eye(max(len(sizes), n_columns))[: len(sizes), :n_columns]
    truth = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    return centres[truth] + rng.normal(0, 0.5, (len(truth), n_columns)), truth


@pytest.mark.parametrize("method", ["kmeans", "gaussian"])
def test_finds_planted_segments_and_their_number(method) -> None:
    points, truth = blobs((200, 150, 100, 50))
    segments = fit_segments(points, max_segments=8, method=method)
    assert segments.n_segments == 4
    assert adjusted_rand_score(truth, segments.labels) == 1.0
    np.testing.assert_array_equal(segments.sizes, [200, 150, 100, 50])  # numbered by size
    assert "4 is the largest number of segments with a prediction strength" in segments.note
    np.testing.assert_array_equal(assign(segments, points), segments.labels)
    other, other_truth = blobs((30, 30, 30, 30), seed=5)
    assert adjusted_rand_score(other_truth, assign(segments, other)) == 1.0


def test_same_seed_same_segments() -> None:
    points = np.random.default_rng(0).normal(size=(300, 4))
    one, two = (fit_segments(points, min_segments=3, max_segments=5, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.labels, two.labels)
    assert one.note == two.note


def test_the_note_says_where_there_are_no_clear_borders() -> None:
    points = np.random.default_rng(0).normal(size=(400, 8))
    segments = fit_segments(points, min_segments=4, max_segments=6)
    assert 4 <= segments.n_segments <= 6
    assert segments.note.startswith("No number of segments from 4 to 6 has a prediction strength of 0.8")
    assert fit_segments(points, min_segments=1, max_segments=6).n_segments == 1


def test_the_number_of_segments_can_be_set() -> None:
    assert fit_segments(blobs((100, 100, 100))[0], min_segments=2, max_segments=2).n_segments == 2


def test_small_segments_join_others() -> None:
    points, truth = blobs((100, 80, 5), n_columns=3)
    segments = fit_segments(points, min_segments=3, max_segments=3)
    assert segments.n_segments == 2
    assert segments.sizes.sum() == 185
    assert "1 with fewer than 20 customers joined others" in segments.note
    whole = fit_segments(points, min_segments=3, max_segments=3, min_customers=5)
    assert adjusted_rand_score(truth, whole.labels) == 1.0


@pytest.mark.parametrize("method", ["kmeans", "gaussian"])
def test_identical_customers_are_one_segment(method) -> None:
    segments = fit_segments(np.full((100, 3), 0.1, dtype=np.float32), method=method)
    assert segments.n_segments == 1
    assert segments.note == "All customers have the same embedding, so they are one segment."
    assert set(assign(segments, np.ones((4, 3)))) == {1}
    assert seed_stability(segments, np.full((100, 3), 0.1)) == 1.0


@pytest.mark.parametrize("method", ["kmeans", "gaussian"])
def test_few_distinct_customers(method) -> None:
    points = np.repeat(np.eye(3), 40, axis=0)
    segments = fit_segments(points, min_segments=5, max_segments=8, method=method)
    assert segments.n_segments <= 3
    assert segments.sizes.sum() == 120


def test_fewer_customers_than_segments() -> None:
    points = np.random.default_rng(0).normal(size=(5, 2))
    one = fit_segments(points, min_segments=8, max_segments=9)
    assert (one.n_segments, one.note) == (
        1,
        "5 customers are too few for two segments of at least 20, so they are one segment.",
    )
    many = fit_segments(points, min_segments=8, max_segments=9, min_customers=1)
    assert 1 < many.n_segments <= 5
    assert "too few" in many.note


def test_one_customer() -> None:
    segments = fit_segments(np.array([[1.0, 2.0]]), min_customers=1)
    assert (segments.n_segments, list(segments.labels)) == (1, [1])
    np.testing.assert_array_equal(sample_stability(segments, np.array([[1.0, 2.0]])), [1.0])


def test_bad_embeddings_are_refused() -> None:
    points, _ = blobs((50, 50))
    segments = fit_segments(points)
    with pytest.raises(ValueError, match="embeddings have 2 columns; the segments were made from 6"):
        assign(segments, points[:, :2])
    points[3, 1] = np.nan
    for call in (fit_segments, lambda values: assign(segments, values)):
        with pytest.raises(ValueError, match="1 of 100 customers have values that are not finite, the first in row 3"):
            call(points)
    with pytest.raises(ValueError, match="at least one"):
        fit_segments(np.zeros((0, 3)))
    with pytest.raises(ValueError, match="min_segments <= max_segments"):
        fit_segments(np.zeros((9, 3)), min_segments=4, max_segments=3)


def test_stability_of_real_segments_and_of_noise() -> None:
    points, _ = blobs((200, 150, 100))
    real = fit_segments(points)
    assert seed_stability(real, points) == 1.0
    np.testing.assert_allclose(sample_stability(real, points), 1.0)
    noise = np.random.default_rng(0).normal(size=(450, 6))
    imagined = fit_segments(noise, min_segments=8, max_segments=8)
    assert seed_stability(imagined, noise) < 0.9
    assert sample_stability(imagined, noise).max() < 0.9


def test_stability_over_time() -> None:
    points, _ = blobs((200, 150, 100))
    segments = fit_segments(points)
    later = points + np.random.default_rng(1).normal(0, 0.1, points.shape)
    still = time_stability(segments, later)
    assert (still.assigned, still.refitted) == (1.0, 1.0)
    moved = time_stability(segments, np.roll(later, 1, axis=1))  # groups stay together somewhere else
    assert moved.refitted == 1.0
    mixed = time_stability(segments, np.random.default_rng(2).permutation(later))
    assert abs(mixed.assigned) < 0.05
    assert abs(mixed.refitted) < 0.05
    with pytest.raises(ValueError, match="450 customers at the earlier cutoff and 10 at the later one"):
        time_stability(segments, later[:10])
