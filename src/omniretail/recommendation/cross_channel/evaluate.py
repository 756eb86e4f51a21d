"""One model in one direction: the target channel alone, both channels, and customers new to the target."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.metrics.ranking import hit_rate_at_k, ndcg_at_k
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.popular import Popular
from omniretail.models.top_k import Policy, recommend
from omniretail.policies.protocol import fitted
from omniretail.recommendation.cross_channel.sampled_metrics import SampledNegatives
from omniretail.views.channels import alone, in_channel, new_to
from omniretail.views.fold import Fold

K = 10
FULL = "all items"
_METRICS = Metrics([K], f"ndcg_at_{K}", {"ndcg": ndcg_at_k, "hit_rate": hit_rate_at_k}, {})
_NAMES = [f"{name}_at_{K}" for name in _METRICS.per_user]


def sampled(n_negatives: int) -> str:
    """The sampled protocol's name.

    >>> sampled(999)
    '999 negatives'
    """
    return f"{n_negatives} negatives"


@dataclass(frozen=True)
class ChannelExamination:
    """How every model of a scorecard is examined.

    Attributes:
        target: the channel in which items are held out and ranked.
        policy: what may be shown; it must leave the target's items only.
        n_negatives: of the sampled protocol.
        new_share: of the judged customers, whose events in the target are forgotten to see what the other channel
            tells of a customer who is new there.
        seed: of negatives and of who is new.
        memory_mb: bound on one batch of scores, MiB.
    """

    target: str
    policy: Any
    n_negatives: int = 999
    new_share: float = 0.2
    seed: int = 0
    memory_mb: int = 256

    def take(self, lone: Recommender, model: Recommender, fold: Fold) -> pd.DataFrame:
        """Fit and judge: with the target alone, with both channels, and where some customers are new.

        With the target alone nothing is known of a new customer, whose figure is then the popular list's.

        Args:
            lone: the model with settings for one channel.
            model: the same with settings for both.
            fold: of both channels.

        Returns:
            A row per customer and protocol, once more for those made ``new``: ``user_id, protocol, new``, the events
            known of them, ``n_target, n_other``, and ``ndcg_alone, hit_rate_alone, ndcg_both, hit_rate_both``.

        Raises:
            ValueError: where a score is not finite, or nobody can be made new.
        """
        (policy,) = fitted([self.policy], fold.train)
        cold = new_to(fold, self.target, self.new_share, self.seed)
        parts = [
            self._beside(lone, model, fold, policy).assign(new=False),
            self._beside(Popular(), model, cold, policy).assign(new=True),
        ]
        return pd.concat(parts, ignore_index=True)

    def _beside(self, lone: Recommender, model: Recommender, fold: Fold, policy: Policy) -> pd.DataFrame:
        of_alone = dict(self._judged(lone, alone(fold, self.target), policy))
        of_both = dict(self._judged(model, fold, policy))
        here = in_channel(fold.users, fold.train, self.target)
        known = {
            name: np.bincount(fold.users.rows[events], minlength=len(fold.users))
            for name, events in (("n_target", here), ("n_other", ~here))
        }
        frames = [
            of_alone[protocol]
            .add_suffix("_alone")
            .join(of_both[protocol].add_suffix("_both"))
            .assign(protocol=protocol, **known)
            .reset_index()
            for protocol in of_both
        ]
        return pd.concat(frames, ignore_index=True)

    def _judged(self, model: Recommender, fold: Fold, policy: Policy) -> Iterator[tuple[str, pd.DataFrame]]:
        """``ndcg`` and ``hit_rate`` per user, under each protocol."""
        fresh = copy.deepcopy(model).fit(fold.train)
        beside = SampledNegatives(fold, policy, K, self.n_negatives, self.seed)
        fallback = Popular().fit(fold.train).popularity_
        ranked, _ = recommend(fresh, fold.users, K, beside, fallback, self.memory_mb)
        for protocol, lists in ((FULL, ranked), (sampled(self.n_negatives), beside.lists())):
            per_user, _ = evaluate_lists(lists, fold, _METRICS)
            yield (
                protocol,
                per_user.drop(columns="n_history").rename(columns=lambda name: name.removesuffix(f"_at_{K}")),
            )
