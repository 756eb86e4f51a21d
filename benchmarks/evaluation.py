"""Ranking and metrics for every user of the test fold, besides scoring: seconds."""

import numpy as np

from benchmarks.arguments import fold_of, parser, timed
from omniretail.config import compose, make
from omniretail.metrics.evaluate_lists import evaluate_lists
from omniretail.models.top_k import batches, top_k


def main(arguments: list[str]) -> None:
    """Rank random scores, evaluate the lists, print."""
    settings = parser("evaluation", __doc__, "source=beauty").parse_args(arguments).settings
    cfg = compose(*settings)
    metrics = make(cfg.metrics)
    k, rng, ranking_s = max(metrics.ks), np.random.default_rng(0), 0.0
    with fold_of(settings) as fold:
        n_users, n_items = len(fold.users), len(fold.train.items)
        ranked = np.empty((n_users, k), dtype=np.int32)
        for rows in batches(n_users, n_items, cfg.memory_mb):
            scores = rng.random((rows.stop - rows.start, n_items), dtype=np.float32)  # in place of a model's
            (ranked[rows], _), spent = timed(lambda scores=scores: top_k(scores, k))
            ranking_s += spent
        _, metrics_s = timed(lambda: evaluate_lists(ranked, fold, metrics))
    print(
        f"{' '.join(settings)}, {n_users:,} users x {n_items:,} items, "
        f"{len(metrics.per_user)} metrics at k = {list(metrics.ks)}: "
        f"top {k} {ranking_s:.2f} s + metrics {metrics_s:.2f} s = {ranking_s + metrics_s:.2f} s besides scoring"
    )
