"""The segmentation task: which groups do customers fall into, do they last, and what has drifted?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from omniretail.core.checks import at_least
from omniretail.core.errors import DataError
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.profiles.protocol import ProfileEncoder
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.embedding import embed
from omniretail.profile.segments.over_time import CustomerSegments, EmbeddedCustomers, segment_customers
from omniretail.profile.tags.rules import nearest, tags_from
from omniretail.profile.tags.thresholds import learn
from omniretail.profile.windows import aligned, two_windows
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods
from omniretail.views.profile.dictionary import ALL, Feature
from omniretail.views.train import Train

DEFAULT_MAPS = ("spend_91", "discount_share", "loyal")
"""Features and tags that get a map where none are named; those a source lacks are passed over."""


@dataclass(frozen=True)
class SegmentFindings:
    """What the page of a segmentation shows.

    Attributes:
        customers: their segments at both cutoffs.
        earlier: the customers of the earlier cutoff.
        profile: their features, tags and attributes; shape (N, F).
        features: the dictionary of the profile table.
        labels: names of tags for people.
        map_features: columns of the profile that get a map each.
        earlier_at: the earlier cutoff, seconds since 1970.
        later_at: the later cutoff.
        min_customers: fewer are not described.
    """

    customers: CustomerSegments
    earlier: EmbeddedCustomers
    profile: pd.DataFrame
    features: Sequence[Feature]
    labels: Mapping[str, str]
    map_features: Sequence[str]
    earlier_at: int
    later_at: int
    min_customers: int


@dataclass(frozen=True)
class Segmentation:
    """Cluster customers at a cutoff, and assign them anew one window later.

    Encoder and segments are fitted a window before the stage's cutoff; nothing after the stage's cutoff is read.

    Attributes:
        n_segments: how many; None: the largest number from 2 to 12 that another sample reproduces.
        min_customers: smaller segments join others, and fewer customers are never described.
        map_features: features, tags or attributes that get a map each; empty: ``DEFAULT_MAPS``.
        tags: rules of tags that describe segments, see ``tags_from``.
        seed: of the segments.
    """

    n_segments: int | None = None
    min_customers: int = 20
    map_features: Sequence[str] = field(default=(), metadata=NOT_PROTOCOL)
    tags: Mapping[str, Any] = field(default_factory=dict, metadata=NOT_PROTOCOL)
    seed: int = field(default=1, metadata=NOT_PROTOCOL)

    def __post_init__(self) -> None:
        at_least(self, "n_segments", "min_customers", low=1)

    def evaluate(self, model: ProfileEncoder, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the encoder and segments, assign customers at the stage's cutoff, measure stability; see ``Task``.

        Raises:
            DataError: where the split is not by time, the log is too short, or a feature to map is unknown.
            SettingsError: where embeddings are not finite.
        """
        require_methods(model, ["fit", "embed"], "profile", example="profile/table")
        windows = two_windows(data, stage)
        past, now = windows.earlier, windows.later
        with metered() as fitting:
            model.fit(past)
        table = ProfileTable().fit(past)
        with metered() as embedding:
            earlier, later = (_customers(model, table, train, past) for train in (past, now))
        profile, labels = self._profile(past, earlier.table, table.features(), data.user_attributes)
        maps = self._maps(profile)
        with metered() as clustering:
            customers = segment_customers(earlier, later, self.n_segments, self.min_customers, self.seed)
        recent = [each.name for each in table.features() if each.window != ALL]
        result = Result(
            model=model_name(model),
            stage=stage,
            task="segmentation",
            per_unit=customers.per_customer(),
            metrics=metric_rows(customers.metrics(recent)),
            resampled=customers.resampled(),
            protocol=protocol_of(self, "segmentation", data, stage),
            parameters=parameters_of(model),
            counts={"customers": len(later.ids), "customers_earlier": len(earlier.ids)},
            cost=costs(fit=fitting, score=embedding, segment=clustering),
            seed=self.seed,
        )
        findings = SegmentFindings(
            *(customers, earlier, profile, table.features(), labels, maps, past.at, now.at, self.min_customers)
        )
        tables = {"customers": customers.table(), "drift": customers.drift}
        return Evaluation(result, tables=tables, findings=findings, model=model)

    def _profile(
        self, train: Train, table: pd.DataFrame, features: Sequence[Feature], attributes: Mapping[str, str]
    ) -> tuple[pd.DataFrame, dict[str, str]]:
        """Features, tags and attributes of the customers, and the tags' names for people."""
        learned = learn(tags_from(self.tags), table, features)
        users = pd.DataFrame() if train.user_table is None else train.user_table
        columns = {name: users[column].to_numpy() for name, column in attributes.items() if column in users}
        profile = pd.concat([table, learned.apply(table), pd.DataFrame(columns, index=table.index)], axis=1)
        return profile, {tag.name: tag.label for tag in learned.tags}

    def _maps(self, profile: pd.DataFrame) -> list[str]:
        """Columns that get a map.

        Raises:
            DataError: naming the nearest, where one is unknown.
        """
        if not self.map_features:
            return [name for name in DEFAULT_MAPS if name in profile and bool(profile.count()[name])]
        for name in self.map_features:
            if name not in profile:
                near = nearest(name, profile) or f"; there are {', '.join(map(str, profile.columns[:5]))}, …"
                raise DataError(f"task.map_features takes features, tags and attributes, and there is no {name}{near}")
        return list(dict.fromkeys(self.map_features))


def _customers(model: ProfileEncoder, table: ProfileTable, train: Train, fitted_on: Train) -> EmbeddedCustomers:
    histories = train.histories if train is fitted_on else aligned(train, fitted_on)
    return EmbeddedCustomers(
        train.users.ids.to_numpy(), embed(model, train, fitted_on), table.table(histories, train.at)
    )
