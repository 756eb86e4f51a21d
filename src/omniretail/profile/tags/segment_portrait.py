"""A segment's portrait: any set of customers beside all customers."""

from dataclasses import dataclass

import numpy as np

from omniretail.core.errors import SettingsError
from omniretail.profile.tags.customer_card import KeyFigure, key_figure, shown_figures, shown_levels
from omniretail.profile.tags.population import Population
from omniretail.profile.tags.purchase_shares import PRODUCT, Share, shares, typical
from omniretail.profile.tags.rules import Tag
from omniretail.profile.tags.visit_times import Columns, rhythm, trend

_FEWEST_BUYERS = 5


@dataclass(frozen=True)
class TagShare:
    """Share of a segment with a tag, and the same share of all customers."""

    tag: Tag
    share: float
    everybody: float


@dataclass(frozen=True)
class Portrait:
    """What the customers of a segment have in common, for people."""

    name: str
    definition: str
    size: int
    n_customers: int
    tags: tuple[TagShare, ...]
    figures: tuple[KeyFigure, ...]
    levels: dict[str, tuple[Share, ...]]
    products: tuple[Share, ...]
    rhythm: tuple[Columns, ...]
    trend: Columns


def segment_portrait(
    population: Population,
    members: np.ndarray,
    name: str,
    definition: str = "",
    min_customers: int = 20,
    n_values: int = 8,
    n_products: int = 12,
) -> Portrait:
    """The portrait of a segment, for instance of the customers with a tag (``population.tagged[tag]``).

    Args:
        population: all customers.
        members: mask of its customers; bool, shape (U,).
        name: of the segment, for people.
        definition: a sentence for people.
        min_customers: smaller segments are refused, as they could identify single customers.
        n_values: over-represented departments and categories shown.
        n_products: over-represented products shown. Each product, department or category is bought by at least five of
            the customers, and by 5 % of them.

    Raises:
        SettingsError: where the segment is too small.
    """
    rows, train = np.flatnonzero(np.asarray(members, dtype=bool)), population.train
    least = max(min_customers, 1)
    if len(rows) < least:
        raise SettingsError(
            f"the segment {name} has {len(rows):,} customers; portraits of fewer than {least:,} are not made, so that "
            "no single customer can be recognised; a larger segment, or task.min_customers, helps"
        )
    own = train.histories.take(rows)
    buyers = max(_FEWEST_BUYERS, len(rows) // 20)
    bought = {level: shares(train, own, level) for level in (*shown_levels(population), PRODUCT)}
    return Portrait(
        name=name,
        definition=definition,
        size=len(rows),
        n_customers=len(train.users),
        tags=_tag_shares(population, rows),
        figures=tuple(_figure(population, each, rows) for each in shown_figures(population)),
        levels={
            each: tuple(typical(bought[each], n_values, buyers, min_share=0.001)) for each in shown_levels(population)
        },
        products=tuple(typical(bought[PRODUCT], n_products, buyers, min_share=0.0)),
        rhythm=tuple(rhythm(train, own)),
        trend=trend(train, own, population.currency),
    )


def _tag_shares(population: Population, rows: np.ndarray) -> tuple[TagShare, ...]:
    """The tags of the segment, most common first."""
    tagged = population.tagged.to_numpy(dtype=float)
    both = zip(population.learned.tags, tagged[rows].mean(0).tolist(), tagged.mean(0).tolist(), strict=True)
    shares_ = [TagShare(tag, own, all_) for tag, own, all_ in both if own > 0]
    return tuple(sorted(shares_, key=lambda each: -each.share))


def _figure(population: Population, name: str, rows: np.ndarray) -> KeyFigure:
    values = population.values(name)
    own = values[rows]
    value = float(np.nanmean(own)) if np.isfinite(own).any() else float("nan")
    return key_figure(population, name, value, everybody=float(np.nanmean(values)))
