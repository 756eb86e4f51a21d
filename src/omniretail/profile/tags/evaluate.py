"""The tags task: readable rules over the profile table, how common and how stable each is; a card or a portrait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from omniretail.core.checks import above, at_least
from omniretail.core.errors import SettingsError
from omniretail.core.resources import costs, metered
from omniretail.dataset import Dataset
from omniretail.models.profiles.table import ProfileTable
from omniretail.profile.tags.customer_card import CustomerCard, customer_card
from omniretail.profile.tags.population import Population
from omniretail.profile.tags.predictions import CustomerPredictions, Prediction
from omniretail.profile.tags.rules import tags_from
from omniretail.profile.tags.segment_portrait import Portrait, segment_portrait
from omniretail.profile.tags.stability import earlier_table, stability
from omniretail.profile.tags.thresholds import learn
from omniretail.result import Result, metric_rows
from omniretail.splits.cutoff import Stage
from omniretail.tasks import NOT_PROTOCOL, Evaluation, model_name, parameters_of, protocol_of, require_methods, seed_of

_METRICS = ("share", "retained", "jaccard")


@dataclass(frozen=True)
class TagFindings:
    """What the page of the tags task shows: the card or the portrait where there is one, else the table of tags.

    Attributes:
        population: all customers with their tags.
        stability: of each tag, see ``stability``.
        days: between the two cutoffs of ``stability``.
        card: of the customer that was chosen.
        portrait: of the tag that was chosen.
        predictions: of the customer that was chosen.
        missing: why some of them are missing, in sentences.
    """

    population: Population
    stability: pd.DataFrame
    days: float
    card: CustomerCard | None = None
    portrait: Portrait | None = None
    predictions: Sequence[Prediction] = ()
    missing: Sequence[str] = ()


@dataclass(frozen=True)
class Tags:
    """Tag all customers known at the stage's cutoff.

    Attributes:
        tags: rules, see ``tags_from``.
        days: between the two cutoffs at which tags are compared.
        customer: raw id of a customer whose card is the page.
        segment: name of a tag; the portrait of its customers is the page.
        min_customers: portraits of fewer customers are refused.
        predictions: of the customer, on the card; None: there are none.
    """

    tags: Mapping[str, Any] = field(default_factory=dict)
    days: float = 28
    customer: str | int | None = field(default=None, metadata=NOT_PROTOCOL)
    segment: str | None = field(default=None, metadata=NOT_PROTOCOL)
    min_customers: int = field(default=20, metadata=NOT_PROTOCOL)
    predictions: CustomerPredictions | None = field(default=None, metadata=NOT_PROTOCOL)

    def __post_init__(self) -> None:
        above(self, "days")
        at_least(self, "min_customers", low=1)
        if self.customer is not None and self.segment is not None:
            raise SettingsError("Tags: set task.customer or task.segment, not both")

    def evaluate(self, model: ProfileTable, data: Dataset, stage: Stage) -> Evaluation:
        """Fit the profile table, learn thresholds, tag, and compare with some days earlier; see ``Task``.

        Raises:
            DataError: where the split leaves nothing to learn from.
            SettingsError: where a rule is wrong, the data has no dates, or the customer or the tag does not exist.
        """
        require_methods(model, ["fit", "table", "features"], "profile", example="profile/table")
        train = data.fold(stage).train.of_purchases()
        with metered() as fitting:
            model.fit(train)
        with metered() as tagging:
            table, features = model.table(train.histories, train.at), model.features()
            learned = learn(tags_from(self.tags), table, features)
            population = Population(train, table, features, learned, data.tables.card.currency)
            earlier, present = earlier_table(model, train.histories, train.at, self.days)
            by_tag = stability(learned, table, earlier, present)
        result = Result(
            model=model_name(model),
            stage=stage,
            task="tags",
            per_unit=_per_customer(population),
            metrics=_metrics(by_tag),
            protocol=protocol_of(self, "tags", data, stage),
            parameters=parameters_of(model),
            counts={"customers": len(train.users), "tags": len(learned.tags), "left_out": len(learned.left_out)},
            cost=costs(fit=fitting, score=tagging),
            seed=seed_of(model),
        )
        findings = self._findings(population, by_tag)
        if self.predictions is not None and self.customer is not None:
            predicted, missing = self.predictions.of(self.customer, data, stage)
            findings = replace(findings, predictions=predicted, missing=missing)
        return Evaluation(result, tables={"tags": by_tag.reset_index()}, findings=findings, model=model)

    def _findings(self, population: Population, by_tag: pd.DataFrame) -> TagFindings:
        card = portrait = None
        if self.customer is not None:
            card = customer_card(population, self.customer)
        if self.segment is not None:
            tag = population.learned.named(self.segment)
            members = population.tagged[tag.name].to_numpy()
            portrait = segment_portrait(population, members, tag.label, tag.definition, self.min_customers)
        return TagFindings(population, by_tag, self.days, card, portrait)


def _per_customer(population: Population) -> pd.DataFrame:
    """1 where a customer has a tag, under the key of the tag's share; indexed by user_id."""
    tagged = population.tagged.astype(float).add_suffix("/share")
    return tagged.set_index(pd.Index(population.train.users.ids, name="user_id"))


def _metrics(by_tag: pd.DataFrame) -> pd.DataFrame:
    """Means over tags, then each tag as a group."""
    means = metric_rows(by_tag[list(_METRICS)].mean().to_dict())
    rows = zip(by_tag.index, by_tag[list(_METRICS)].to_numpy(float), strict=True)
    groups = [metric_rows(dict(zip(_METRICS, values, strict=True)), str(tag)) for tag, values in rows]
    return pd.concat([means, *groups], ignore_index=True)
