"""Choose ChannelWalk's settings on validation, equally for one channel (source_weight=0) and for both.

python experiments/014_two_channels/tune.py sport cloth > sport.csv

NDCG@10 over all items of the target, one training item of each customer held out.
"""

import sys
from itertools import product
from pathlib import Path

from hydra.utils import instantiate

from omniretail.config import compose
from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.metrics.ranking import ndcg_at_k
from omniretail.models.recommenders.channel_walk import ChannelWalk
from omniretail.models.top_k import recommend
from omniretail.policies.protocol import fitted
from omniretail.sources.protocol import load
from omniretail.views.cached import load_fold

NDCG = Metrics([10], "ndcg_at_10", {"ndcg": ndcg_at_k}, {})
ITEM_EXPONENTS = {"sport": (0.05, -0.05, -0.15), "phone": (0.15, 0.05)}
SIMILARITY_EXPONENTS = {"sport": (0.4,), "phone": (0.7, 1.0)}


def main(target: str, other: str) -> None:
    """Print a line of CSV per setting."""
    cfg = compose("source=amazon_cross_domain", f"target_channel={target}", f"source_channel={other}")
    cache, pair = Path(cfg.cache_dir), "phone" if "phone" in (target, other) else "sport"
    fold = load_fold(load(instantiate(cfg.source), cache), instantiate(cfg.split), "val", cache)
    (policy,) = fitted([instantiate(cfg.policy)], fold.train)
    print("target,item_exponent,similarity_exponent,source_weight,ndcg_at_10")
    for item, similarity, weight in product(ITEM_EXPONENTS[pair], SIMILARITY_EXPONENTS[pair], (0.0, 0.3, 0.6)):
        model = ChannelWalk(target, weight, similarity, item_exponent=item).fit(fold.train)
        lists, _ = recommend(model, fold.users, 10, policy)
        per_user, _, _ = evaluate_lists(lists, fold, NDCG)
        print(f"{target},{item},{similarity},{weight},{per_user.ndcg_at_10.mean():.5f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
