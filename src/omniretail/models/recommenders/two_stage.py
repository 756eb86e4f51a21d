"""TwoStage: candidates of several recommenders, ranked by boosted trees."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Self, get_args

import numpy as np

from omniretail.core.checks import above, at_least, one_of, require
from omniretail.models.lightgbm_params import Booster, boosters, lightgbm_params, require_lightgbm_params, trained_text
from omniretail.models.protocols import Recommender
from omniretail.models.recommenders.ranking.examples import RankingExamples
from omniretail.models.recommenders.ranking.features import GROUPS, RankingFacts
from omniretail.models.recommenders.ranking.members import (
    best_items,
    checked_members,
    first_known,
    fitted_members,
    in_order,
    member_features,
    member_scores,
    members_label,
)
from omniretail.models.recommenders.ranking.pairs import Pairs
from omniretail.models.recommenders.ranking.windows import InnerWindow, inner_windows
from omniretail.models.top_k import batches
from omniretail.views.histories import Histories
from omniretail.views.train import Train

_MEMORY_MB = 128
_SALES = "store_sales_"

Objective = Literal["lambdarank", "rank_xendcg", "binary"]


@dataclass(eq=False)
class TwoStage:
    """The best items of several recommenders, ordered by LightGBM over what is known of user and item.

    It learns from the last ``n_windows`` windows before the cutoff: members and item facts are fitted on the events
    before each window, and the trees learn which candidates were bought in it. Then the members are fitted again on all
    events. Features are the members' scores and places (``members``), the user's history with the item (``history``),
    columns of the profile table (``users``), the item's sales, repeat purchases and prices (``items``), the user's
    taste for its category, brand and price band (``affinity``), its sales in the user's store (``stores``), and the
    week of the month, month, weekday and hour (``time``).

    Items that are no candidates follow in the order of the first member. Where no window has customers who bought both
    before it and in it, that order stays throughout. A user whom some members cannot score gets the candidates of the
    others.

    Args:
        members: recommenders by name.
        candidates: best items of each member that are ranked; all, where the catalogue is smaller.
        features: groups of features; a window before the cutoff says little about the months after it, so ``time`` is
            not among them by default.
        levels: columns of the item table for ``affinity``; those that it lacks are ignored.
        horizon_days: length of a window; see ``ranking.windows`` for data without times.
        n_windows: windows to learn from.
        max_users: customers of one window to learn from.
        objective: ``lambdarank`` (Burges, 2010), ``rank_xendcg`` (Bruch, WSDM 2021), or ``binary``, which predicts each
            purchase by itself.
        truncation: places at the top that ``lambdarank`` is about.
        n_estimators: trees of each seed.
        learning_rate: of boosting.
        num_leaves: of each tree, at most.
        min_child_samples: candidates in a leaf.
        subsample: share of candidates drawn for each tree.
        colsample_bytree: share of features drawn for each tree.
        reg_lambda: L2 penalty on leaves.
        n_seeds: boosters that are averaged.
        seed: the first of them.
    """

    members: Mapping[str, Recommender]
    candidates: int = 100
    features: Sequence[str] = GROUPS[:-1]
    levels: Sequence[str] = ("department", "category", "type", "brand", "manufacturer_id")
    horizon_days: float = 28.0
    n_windows: int = 3
    max_users: int = 20_000
    objective: Objective = "lambdarank"
    truncation: int = 30
    n_estimators: int = 300
    learning_rate: float = 0.05
    num_leaves: int = 31
    min_child_samples: int = 100
    subsample: float = 0.8
    colsample_bytree: float = 0.3
    reg_lambda: float = 5.0
    n_seeds: int = 1
    seed: int = 1

    def __post_init__(self) -> None:
        self.members, self.features, self.levels = checked_members(self), list(self.features), list(self.levels)
        at_least(self, "candidates", "n_windows", "max_users", "truncation", "n_seeds", low=1)
        above(self, "horizon_days")
        one_of(self, "objective", get_args(Objective))
        groups = bool(self.features) and set(self.features) <= set(GROUPS)
        require(self, "features", groups, f"be some of {', '.join(GROUPS)}")
        require_lightgbm_params(self)

    @property
    def label(self) -> str:
        """The name with its members', such as ``TwoStage (TIFU-KNN, EASE)``."""
        return members_label("TwoStage", self.members)

    def fit(self, train: Train) -> Self:
        """See ``Recommender``."""
        self.models_text_ = self._trained(self.examples(train))
        self._boosters: list[Booster] = []
        self.members_ = fitted_members(self.members, train)
        facts = RankingFacts.of(train, self.levels)
        self.at_, self.zone_, self.items_ = facts.at, facts.zone, dict(facts.items)
        self.level_names_, self.item_values_ = facts.level_names, facts.item_values
        for horizon, sales in facts.stores.items():
            setattr(self, f"{_SALES}{horizon}_", sales)
        return self

    def score(self, users: Histories) -> np.ndarray:
        """See ``Recommender``."""
        scores = np.empty((len(users), users.n_items), dtype=np.float32)
        for rows in self._batches(users):
            scores[rows] = self._ranked(users.take(rows))
        return scores

    def examples(self, train: Train) -> RankingExamples:
        """What the trees learn from: candidates of all inner windows, of the latest first."""
        windows = inner_windows(train, self.horizon_days, self.n_windows, self.max_users)
        return RankingExamples.of([self._examples(window) for window in windows])

    def _ranked(self, users: Histories) -> np.ndarray:
        own = member_scores(in_order(self), users)
        scores = first_known(own)
        if not len(self.models_text_):
            return scores
        pairs, columns = self._candidates(own, users, self._facts())
        utility = self._utility(np.column_stack(list(columns.values())))
        scores -= scores.max(axis=1, keepdims=True)  # at most 0: below every candidate
        lowest = np.full(len(users), np.inf)
        np.minimum.at(lowest, pairs.row, utility)
        scores[pairs.row, pairs.item] = 1 + utility - lowest[pairs.row]
        return scores

    def _batches(self, users: Histories) -> list[slice]:
        return list(batches(len(users), users.n_items * (len(self.members) + 1), _MEMORY_MB))

    def _utility(self, x: np.ndarray) -> np.ndarray:
        if not getattr(self, "_boosters", None):  # fitted, or loaded from files
            self._boosters = boosters(self.models_text_)
        return np.mean([booster.predict(x, num_threads=1) for booster in self._boosters], axis=0)

    def _facts(self) -> RankingFacts:
        stores = {name[len(_SALES) : -1]: each for name, each in vars(self).items() if name.startswith(_SALES)}
        return RankingFacts(self.at_, self.zone_, self.items_, self.level_names_, self.item_values_, stores)

    def _candidates(
        self, scores: Mapping[str, np.ndarray], users: Histories, facts: RankingFacts
    ) -> tuple[Pairs, dict[str, np.ndarray]]:
        """Candidates of B users and their features by name, each of shape (P,)."""
        best = best_items(scores, self.candidates)
        pairs = Pairs.of(list(best.values()), users.n_items)
        columns = member_features(scores, best, pairs) if "members" in self.features else {}
        return pairs, dict(sorted((columns | facts.features(users, pairs, self.features)).items()))

    def _examples(self, window: InnerWindow) -> RankingExamples:
        """Candidates of a window's users, and which of them were bought in it."""
        members, facts = fitted_members(self.members, window.train), RankingFacts.of(window.train, self.levels)
        parts = []
        for rows in self._batches(window.users):
            users = window.users.take(rows)
            pairs, columns = self._candidates(member_scores(members, users), users, facts)
            bought = np.asarray(window.taken[rows.start + pairs.row, pairs.item]).ravel() > 0
            x = np.column_stack(list(columns.values())).astype(np.float32)
            parts.append(RankingExamples(x, bought, pairs.sizes(len(users))))
        return RankingExamples.of(parts)

    def _trained(self, every: RankingExamples) -> np.ndarray:
        """The text of each booster; of none where there is nothing to learn from."""
        if not every.bought.any():
            return np.zeros(0, dtype=np.str_)
        others = {"lambdarank_truncation_level": self.truncation} if self.objective == "lambdarank" else {}
        data = {} if self.objective == "binary" else {"group": every.sizes}
        return np.array(
            [
                trained_text(
                    lightgbm_params(self, self.objective, seed=seed, **others),
                    every.x,
                    every.bought.astype(np.float32),
                    self.n_estimators,
                    **data,
                )
                for seed in range(self.seed, self.seed + self.n_seeds)
            ]
        )
