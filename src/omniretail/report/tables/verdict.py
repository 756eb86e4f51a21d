"""What the best model gains: over the baseline, and over a named model."""

import math

import pandas as pd

from omniretail.core.errors import SettingsError
from omniretail.metrics.names import label
from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.comparison import baseline_of, shown_metrics
from omniretail.report.tables.format import NOTHING, difference, figure, percent


def verdict(table: pd.DataFrame, reference: str) -> str:
    """Whether the best model beats a named one, in an honest sentence.

    Args:
        table: from ``comparison``.
        reference: a model of the table, e.g. ``PersonalTop``.

    Raises:
        SettingsError: where the table has no such model.
    """
    if reference not in table.index:
        raise SettingsError(f"{reference} is not in the comparison; it holds {', '.join(map(str, table.index))}")
    primary, best = shown_metrics(table)[0], str(table.index[0])
    reached, top, p = table.loc[reference, primary], table.loc[best, primary], table.loc[reference, "p_best"]
    name = label(primary)
    if reference == best:
        return f"Nothing beats {reference}: with {name} {figure(reached)} it is the best of {len(table)} models."
    figures = f"{name} {figure(top)} against {figure(reached)}{_p_words(p)}"
    if math.isnan(p) or p >= ALPHA:
        how = "was not tested against it" if math.isnan(p) else "does not differ significantly"
        return f"Nothing is shown to beat {reference}: the best model, {best}, {how} ({figures})."
    return f"{best} beats {reference} by {_margin(table, reference)} ({figures})."


def ahead(table: pd.DataFrame) -> str:
    """What the best model has before the runner-up, the second of the table, in an honest sentence.

    Args:
        table: from ``comparison``, of two models at least.
    """
    primary, (best, second) = shown_metrics(table)[0], map(str, table.index[:2])
    top, reached, p = table.loc[best, primary], table.loc[second, primary], table.loc[second, "p_best"]
    figures = f"{label(primary)} {figure(top)} against {figure(reached)}{_p_words(p)}"
    if math.isnan(p):
        return f"{best} is first, before {second} ({figures}; not tested)."
    if p >= ALPHA:
        tied = sum(table.p_best >= ALPHA)
        others = f" and {tied - 1} more" if tied > 1 else ""
        return f"{best} is first, but not shown to be better than {second}{others} ({figures})."
    return f"{best} is first: it beats the runner-up, {second}, by {_margin(table, second)} ({figures})."


def gains(table: pd.DataFrame) -> list[str]:
    """Each model's primary metric relative to the baseline's; the difference where the baseline may be zero."""
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    reference = math.nan if baseline is None else float(table.loc[baseline, primary])
    if math.isnan(reference):
        return [NOTHING] * len(table)
    if _relative(table, str(baseline)):
        return [percent(value / reference - 1) for value in table[primary]]
    return [difference(value - reference) for value in table[primary]]


def _relative(table: pd.DataFrame, reference: str) -> bool:
    """Whether a share of the reference's metric says something: it is surely above zero, and no model is below."""
    primary = shown_metrics(table)[0]
    low = table[f"{primary}_low"].fillna(table[primary])
    return bool(low[reference] > 0 and min(table[primary]) >= 0)


def _margin(table: pd.DataFrame, reference: str) -> str:
    values = table[shown_metrics(table)[0]]
    top, than = values.iloc[0], values[reference]
    return percent(abs(top / than - 1)).lstrip("+") if _relative(table, reference) else figure(abs(top - than))


def _p_words(p: float) -> str:
    if math.isnan(p):
        return ""
    text = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return ", " + text.replace(" ", "\N{NO-BREAK SPACE}")
