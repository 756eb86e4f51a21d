"""The cross-channel task: does the other channel help to recommend in this one, and for whom?"""

import copy
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.metrics.evaluate_lists import Metrics, evaluate_lists
from omniretail.metrics.ranking import hit_rate_at_k, ndcg_at_k
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.popular import Popular, newcomer_scores
from omniretail.models.top_k import Policy, recommend
from omniretail.policies.protocol import described, fitted
from omniretail.recommendation.cross_channel.sampled_metrics import SampledNegatives
from omniretail.recommendation.cross_channel.scorecard import METRICS, members, scorecard, warnings
from omniretail.result import METRIC_COLUMNS, Result
from omniretail.schema import DataError
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, seed_of
from omniretail.views.channels import alone, in_channel, new_to
from omniretail.views.fold import Fold
from omniretail.views.item_channels import channel_code

log = logging.getLogger(__name__)

K = 10
ALL_ITEMS = "all_items"
_METRICS = Metrics([K], f"ndcg_at_{K}", {"ndcg": ndcg_at_k, "hit_rate": hit_rate_at_k}, {})


@dataclass(frozen=True)
class CrossChannel:
    """Fit and evaluate a recommender with the target channel alone and with both, and where customers are new to it.

    With the target channel alone nothing is known of a new customer, whose list is then the popular one.

    Attributes:
        target_channel: in which items are held out and ranked.
        source_channel: the other one; None: all others.
        policy: what may be shown; it must leave the target's items only.
        n_negatives: of the sampled protocol, which stands beside the ranking of all items.
        new_share: of the judged customers, whose events in the target are forgotten to see what the other channel says
            of a customer who is new there.
        alone: settings of the model where it knows the target channel only, in place of its own.
        seed: of negatives and of who is new.
        memory_mb: bound on one batch of scores, MiB.
    """

    target_channel: str | None
    source_channel: str | None = field(default=None, kw_only=True, metadata=NOT_PROTOCOL)
    policy: Any
    n_negatives: int = 999
    new_share: float = 0.2
    alone: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    memory_mb: int = field(default=256, metadata=NOT_PROTOCOL)

    def __post_init__(self) -> None:
        if self.n_negatives < 1:
            raise SettingsError(f"task.n_negatives={self.n_negatives} must be 1 or more")
        if not 0 < self.new_share <= 1:
            raise SettingsError(f"task.new_share={self.new_share} must lie between 0 and 1")

    def evaluate(self, model: Recommender, data: Dataset, stage: Stage) -> Evaluation:
        """See ``Task``.

        Raises:
            DataError: where the data has no such channel.
            SettingsError: where a score is not finite, or no customer can be made new.
        """
        if self.target_channel is None:
            raise DataError("which channel? set target_channel, or take source=two_logs or source=amazon_cross_domain")
        fold = data.fold(stage)
        channel_code(fold.train, self.target_channel)
        if self.source_channel is not None:
            channel_code(fold.train, self.source_channel, "source_channel")
        with metered() as cost:
            fitted_model, values = self.per_customer(model, fold)
        card = scorecard(values)
        for sentence in warnings(card, self.target_channel, model_name(model)):
            log.warning("%s", sentence)
        result = Result(
            model=model_name(model),
            stage=stage,
            task="cross_channel",
            per_unit=_per_unit(values),
            metrics=_metrics(card),
            protocol=protocol_of(self, "cross_channel", data, stage, policy=described(self.policy)),
            parameters=parameters_of(model),
            counts={f"customers_{row['group']}": float(row["customers"]) for row in card.to_dict("records")},
            cost=costs(fit_and_score=cost),
            seed=seed_of(model),
        )
        return Evaluation(result, tables={"scorecard": card}, findings=card, model=fitted_model)

    def per_customer(self, model: Recommender, fold: Fold) -> tuple[Recommender, pd.DataFrame]:
        """The model as fitted with both channels, and values for each customer.

        Returns:
            A row per customer and protocol, once more for those made ``new``: ``user_id, protocol, new``, the events
            before the cutoff, ``n_target, n_other``, and ``ndcg_alone, hit_rate_alone, ndcg_both, hit_rate_both``.
        """
        assert self.target_channel is not None
        (policy,) = fitted([self.policy], fold.train)
        target_only = replace(model, **self.alone) if self.alone else model  # type: ignore[type-var]
        new = new_to(fold, self.target_channel, self.new_share, self.seed)
        with_both = copy.deepcopy(model).fit(fold.train)
        values = [
            self._side_by_side(target_only, with_both, fold, policy).assign(new=False),
            self._side_by_side(Popular(), copy.deepcopy(model).fit(new.train), new, policy).assign(new=True),
        ]
        return with_both, pd.concat(values, ignore_index=True)

    def _side_by_side(
        self, target_only: Recommender, with_both: Recommender, fold: Fold, policy: Policy
    ) -> pd.DataFrame:
        assert self.target_channel is not None
        target = alone(fold, self.target_channel)
        of_alone = dict(self._values(copy.deepcopy(target_only).fit(target.train), target, policy))
        of_both = dict(self._values(with_both, fold, policy))
        here = in_channel(fold.users, fold.train, self.target_channel)
        events = {
            name: np.bincount(fold.users.rows[which], minlength=len(fold.users))
            for name, which in (("n_target", here), ("n_other", ~here))
        }
        frames = [
            of_alone[protocol]
            .add_suffix("_alone")
            .join(of_both[protocol].add_suffix("_both"))
            .assign(protocol=protocol, **events)
            .reset_index()
            for protocol in of_both
        ]
        return pd.concat(frames, ignore_index=True)

    def _values(self, model: Recommender, fold: Fold, policy: Policy) -> Iterator[tuple[str, pd.DataFrame]]:
        """``ndcg`` and ``hit_rate`` per user, under each protocol."""
        sampled = SampledNegatives(fold, policy, K, self.n_negatives, self.seed)
        fallback = newcomer_scores(model, fold.train)
        ranked, _ = recommend(model, fold.users, K, sampled, fallback, self.memory_mb)
        for protocol, lists in ((ALL_ITEMS, ranked), (f"{self.n_negatives}_negatives", sampled.lists())):
            per_user, _, _ = evaluate_lists(lists, fold, _METRICS)
            values = per_user.drop(columns="n_history").rename(columns=lambda name: name.removesuffix(f"_at_{K}"))
            yield protocol, values


def _per_unit(values: pd.DataFrame) -> pd.DataFrame:
    """Every metric of every group per customer, NaN for those outside the group."""
    columns = {}
    for protocol, part in values.groupby("protocol", sort=False):
        for group, belongs in members(part).items():
            inside = part[belongs].set_index("user_id")
            gain = {"gain": inside.ndcg_both - inside.ndcg_alone}
            columns |= {f"{protocol}/{group}/{name}": inside[name] for name in METRICS}
            columns |= {f"{protocol}/{group}/{name}": values for name, values in gain.items()}
    return pd.DataFrame(columns).rename_axis(index="user_id")


def _metrics(card: pd.DataFrame) -> pd.DataFrame:
    rows = [
        (name, f"{row['protocol']}/{row['group']}", row[name], row[f"{name}_low"], row[f"{name}_high"])
        for row in card.to_dict("records")
        for name in (*METRICS, "gain")
    ]
    return pd.DataFrame(rows, columns=METRIC_COLUMNS)
