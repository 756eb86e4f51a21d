"""A customer's card: tags, key figures beside those of all customers, purchases, visit times."""

from dataclasses import dataclass
from math import nan

import numpy as np

from omniretail.profile.tags.population import Population, percentile
from omniretail.profile.tags.purchase_shares import LEVELS, PRODUCT, Share, largest, most_bought, shares
from omniretail.profile.tags.rules import Tag
from omniretail.profile.tags.visit_times import Columns, rhythm, trend

KEY_FIGURES = (
    *("recency_days", "tenure_days", "visits", "visits_91", "gap_mean_days", "gap_regularity", "spend", "spend_91"),
    *("basket_value_mean", "basket_lines_mean", "unit_price_mean", "discount_share", "coupon_visits"),
    *("stores", "store_loyalty", "items", "repeat_share", "weekend"),
)
"""Features that a card and a portrait show; those that a source lacks are passed over."""


@dataclass(frozen=True)
class KeyFigure:
    """A feature of one customer, or the mean of a segment, beside that of all customers.

    Attributes:
        feature: the column of the profile table.
        definition: a phrase for people.
        window: the period that it is about.
        unit: of the values; the source's currency where it is an amount.
        value: of the customer or segment; NaN where it is undefined.
        everybody: the median of all customers beside a customer, the mean beside a segment.
        percentile: rank of the customer among all, 0 the lowest and 1 the highest; NaN for a segment.
    """

    feature: str
    definition: str
    window: str
    unit: str
    value: float
    everybody: float
    percentile: float


@dataclass(frozen=True)
class CustomerCard:
    """What is known about one customer, for people."""

    customer: str
    n_customers: int
    tags: tuple[Tag, ...]
    figures: tuple[KeyFigure, ...]
    levels: dict[str, tuple[Share, ...]]
    products: tuple[Share, ...]
    rhythm: tuple[Columns, ...]
    trend: Columns


def customer_card(population: Population, customer: object, n_values: int = 8, n_products: int = 12) -> CustomerCard:
    """The card of one customer.

    Args:
        population: all customers.
        customer: the raw id, or its text.
        n_values: departments and categories shown.
        n_products: most bought products shown.

    Raises:
        SettingsError: where there is no such customer; the nearest ids are named.
    """
    row, train = population.row_of(customer), population.train
    own = train.histories.take([row])
    return CustomerCard(
        customer=str(train.users.ids[row]),
        n_customers=len(train.users),
        tags=tuple(tag for tag in population.learned.tags if population.tagged[tag.name].iloc[row]),
        figures=tuple(_figure(population, name, row) for name in shown_figures(population)),
        levels={level: tuple(largest(shares(train, own, level), n_values)) for level in shown_levels(population)},
        products=tuple(most_bought(shares(train, own, PRODUCT), n_products)),
        rhythm=tuple(rhythm(train, own)),
        trend=trend(train, own, population.currency),
    )


def shown_figures(population: Population) -> list[str]:
    """Those of ``KEY_FIGURES`` that some customer has."""
    return [name for name in KEY_FIGURES if np.isfinite(population.values(name)).any()]


def shown_levels(population: Population) -> list[str]:
    """Those of ``LEVELS`` that the items table has."""
    return [level for level in LEVELS if level in population.train.item_table]


def key_figure(population: Population, name: str, value: float, everybody: float, rank: float = nan) -> KeyFigure:
    """A figure with its definition from the dictionary."""
    feature = population.dictionary[name]
    unit = (population.currency or "currency") if feature.unit == "currency" else feature.unit
    return KeyFigure(name, feature.definition, feature.window, unit, value, everybody, rank)


def _figure(population: Population, name: str, row: int) -> KeyFigure:
    values = population.values(name)
    own = float(values[row])
    return key_figure(population, name, own, everybody=float(np.nanmedian(values)), rank=percentile(values, own))
