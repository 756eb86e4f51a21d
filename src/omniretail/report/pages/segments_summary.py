"""Segments for a terminal: how large each is, who stays in it, what sets it apart, what moved."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from omniretail.profile.segments.effect_sizes import effect_sizes, lifts
from omniretail.profile.segments.evaluate import CustomerSegments
from omniretail.report.pages.segments_text import (
    category_rows,
    drift_rows,
    drift_sentences,
    number_rows,
    percent,
    segment_name,
    silence,
    stability_sentences,
)
from omniretail.views.profile.dictionary import ALL, Feature


def feature_words(features: Iterable[Feature], currency: str = "") -> dict[str, str]:
    """What features are, by name: with the window where it is not all time, and the unit where nobody would guess it.

    Args:
        features: the dictionary of a profile table.
        currency: of amounts; empty where the source does not say.

    >>> feature_words([Feature("spend_91", "paid", "91 days", "currency")], "USD")
    {'spend_91': 'paid, 91 days, USD'}
    """
    units = {"days": "days", "currency": currency}
    return {
        each.name: ", ".join(
            word
            for word in (
                each.definition.partition(";")[0],  # what follows is for the dictionary
                each.window if each.window != ALL else "",
                units.get(each.unit, ""),
            )
            if word
        )
        for each in features
    }


_SIDES = {"more": "↑", "less": "↓"}


def apart(
    profile: pd.DataFrame,
    labels: np.ndarray,
    definitions: Mapping[str, str],
    n_numbers: int = 4,
    n_values: int = 2,
    min_customers: int = 20,
) -> dict[int, list[str]]:
    """What sets each segment apart, in phrases, the largest difference first.

    Args:
        profile: readable features; numbers are compared by mean, other columns value by value; shape (N, F).
        labels: each customer's segment, from 1; shape (N,).
        definitions: a phrase for people for features that have one.
        n_numbers: features per segment.
        n_values: values of other columns per segment.
        min_customers: fewer, inside or outside the segment, are not described; a sentence says so.
    """
    numbers = effect_sizes(profile, labels, n_numbers, min_customers)
    values = lifts(profile, labels, n_values, min_customers)
    found = {}
    for segment in np.unique(labels).tolist():
        own = number_rows(numbers.loc[numbers.segment == segment], definitions)
        shares = category_rows(values.loc[values.segment == segment], definitions)
        rows = [(each, each["mean"]) for each in own] + [(each, each["share"]) for each in shares]
        phrases = [f"{_SIDES[row['side']]} {row['words']}: {value}, others {row['others']}" for row, value in rows]
        size = int((labels == segment).sum())
        quiet = silence(size, len(labels) - size, bool(phrases), min_customers)
        found[segment] = [quiet] if quiet else phrases
    return found


def segment_summary(
    found: CustomerSegments,
    profile: pd.DataFrame,
    definitions: Mapping[str, str],
    recent: Collection[str] = (),
    min_customers: int = 20,
) -> Group:
    """All of it: how the segments came about, how they last, what sets each apart, what moved.

    Args:
        found: from ``segment_customers``.
        profile: readable features of the customers of the first moment; shape (N, F).
        definitions: see ``apart``.
        recent: see ``drift_table``.
        min_customers: see ``apart``.
    """
    words = apart(profile, found.segments.labels, definitions, min_customers=min_customers)
    said = [f"{segment_name(number)}\n" + "\n".join(f"  {each}" for each in words[number]) for number in sorted(words)]
    return Group(
        *map(Text, (found.segments.note, *stability_sentences(found.over_seeds, found.over_time))),
        segment_table(found, min_customers),
        *map(Text, said),
        drift_table(found.drifted, definitions, recent),
        *map(Text, drift_sentences(found.drifted, found.auc, len(found.drifted))),
    )


def segment_table(found: CustomerSegments, min_customers: int = 20) -> Table:
    """A row per segment; of smaller ones than ``min_customers`` nothing is told."""
    sizes, later = found.segments.sizes, found.sizes_now
    shown = Table("segment")
    for heading in ("customers", "share", "share later", "stay in it"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for number, (size, after, kept) in enumerate(zip(sizes, later, found.kept, strict=True), start=1):
        cells = [f"{size:,}", *map(percent, (size / sizes.sum(), after / later.sum(), kept))]
        quiet = [f"fewer than {min_customers}", "–", "–", "–"]
        shown.add_row(segment_name(number), *(quiet if size < min_customers else cells))
    return shown


def drift_table(
    drifted: pd.DataFrame, definitions: Mapping[str, str], recent: Collection[str] = (), top: int = 5
) -> Table:
    """The features that moved most, and below a line those over a fixed time that did.

    Args:
        drifted: from ``drift``.
        definitions: see ``apart``.
        recent: features over a fixed time: unlike totals and tenure they do not grow by themselves.
        top: features of either kind.
    """
    fixed = drifted.feature.isin(list(recent))
    shown = Table("what moved (PSI: below 0.1 stable, to 0.25 moderate, above large)")
    for heading in ("PSI", "shift", "mean then", "mean now"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for part in (drifted.loc[~fixed], drifted.loc[fixed]):
        for row in drift_rows(part.head(top), definitions):
            shown.add_row(escape(row["words"]), row["psi"], row["reading"], row["first"], row["second"])
        shown.add_section()
    return shown
