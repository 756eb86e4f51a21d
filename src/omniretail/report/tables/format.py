"""A comparison in words: figures as people read them, the legend, the verdict."""

import math

import pandas as pd

from omniretail.metrics.names import label
from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.comparison import baseline_of, shown_metrics

NOTHING = "–"
TIED = "†"


def cells(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as text, one column per column shown; what terminal, Markdown and HTML have in common."""
    primary, *others = shown_metrics(table)
    baseline, lift = baseline_of(table), lifts(table)
    shown = {
        "model": table.index.astype(str),
        label(primary): _marked(table, primary),
        "95 % interval": map(interval, table[f"{primary}_low"], table[f"{primary}_high"]),
        **{label(m): map(figure, table[m]) for m in others},
        "p vs best": map(probability, table.p_best),
    }
    if baseline is not None:
        shown[f"vs {baseline} (p)"] = map(_gain, lift, table.p_baseline)
    if (table.seeds > 1).any():
        shown["seeds (± sd)"] = map(_seeds, table.seeds, table.primary_seed_sd)
    shown |= {"fit s": map(amount, table.fit_s), "score s": map(amount, table.score_s)}
    shown["MiB"] = map(amount, table.peak_memory_mb)
    return pd.DataFrame({name: list(column) for name, column in shown.items()})


def legend(table: pd.DataFrame) -> list[str]:
    """How to read the table, in sentences for somebody who has never seen one."""
    primary, baseline = label(shown_metrics(table)[0]), baseline_of(table)
    sentences = [
        f"{primary} is the mean over {table.units.max():,} users of the {table.stage.iloc[0]} stage, best first.",
        "95 % interval: where that mean would likely fall with other users of the same kind (bootstrap over users).",
    ]
    if len(table) > 1:
        sentences += [
            f"p: how often luck alone would make two equally good models differ at least this much in {primary} "
            f"(two-sided paired t-test over users, Holm-corrected for {len(table) - 1} comparisons).",
            f"{TIED} not significantly different from the best (p ≥ {ALPHA}).",
        ]
    if baseline is not None:
        sentences.append(f"vs {baseline}: gain over {baseline}, the baseline, with its p.")
    if (table.seeds > 1).any():
        sentences.append(f"seeds: runs averaged, and the standard deviation of {primary} between them.")
    return [*sentences, "fit s, score s: seconds to learn, and to rank for all users; MiB: peak memory."]


def verdict(table: pd.DataFrame, reference: str) -> str:
    """Whether the best model beats a named one, in an honest sentence.

    Args:
        table: from ``comparison``.
        reference: a model of the table, e.g. ``PersonalTop``.

    Raises:
        KeyError: where the table has no such model.
    """
    if reference not in table.index:
        raise KeyError(f"{reference} is not in the comparison; it holds {', '.join(map(str, table.index))}")
    primary, best = shown_metrics(table)[0], str(table.index[0])
    mine, top, p = table.loc[reference, primary], table.loc[best, primary], table.loc[reference, "p_best"]
    name = label(primary)
    if reference == best:
        return f"Nothing beats {reference}: with {name} {figure(mine)} it is the best of {len(table)} models."
    facts = f"{name} {figure(top)} against {figure(mine)}, {_p_words(p)}"
    if p >= ALPHA:
        return f"Nothing is shown to beat {reference}: the best model, {best}, does not differ significantly ({facts})."
    return f"{best} beats {reference} by {_more(top, mine)} ({facts})."


def lifts(table: pd.DataFrame) -> pd.Series:
    """Each model's primary metric relative to the baseline's, as a share gained; NaN without a baseline."""
    primary, baseline = shown_metrics(table)[0], baseline_of(table)
    reference = math.nan if baseline is None else table.loc[baseline, primary]
    return table.loc[:, primary] / (reference or math.nan) - 1


def tied(table: pd.DataFrame) -> list[bool]:
    """Which models do not differ significantly from the best."""
    return [bool(p >= ALPHA) for p in table.p_best]


def figure(value: float) -> str:
    """A metric's value: four decimals below 1, two above.

    >>> figure(0.123456), figure(8.314)
    ('0.1235', '8.31')
    """
    if math.isnan(value):
        return NOTHING
    return f"{value:.4f}" if abs(value) <= 1 else f"{value:,.2f}"


def interval(low: float, high: float) -> str:
    """Both ends of an interval."""
    return NOTHING if math.isnan(low) else f"{figure(low)}–{figure(high)}"


def probability(p: float) -> str:
    """A p-value.

    >>> probability(0.0312), probability(1e-9)
    ('0.031', '<0.001')
    """
    if math.isnan(p):
        return NOTHING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def percent(share: float) -> str:
    """A gain or a loss.

    >>> percent(0.4567), percent(-0.031)
    ('+46 %', '−3 %')
    """
    return f"{share:+,.0%}".replace("-", "−").replace("%", " %")


def amount(value: float) -> str:
    """Seconds or MiB, as exact as anybody needs.

    >>> amount(0.0423), amount(3.14159), amount(1234.5)
    ('0.04', '3.1', '1,234')
    """
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _marked(table: pd.DataFrame, primary: str) -> list[str]:
    return [figure(value) + (TIED if mark else "") for value, mark in zip(table[primary], tied(table), strict=True)]


def _gain(lift: float, p: float) -> str:
    if math.isnan(p):
        return NOTHING
    return f"({probability(p)})" if math.isnan(lift) else f"{percent(lift)} ({probability(p)})"


def _seeds(n: int, sd: float) -> str:
    return f"{n} ± {figure(sd)}" if n > 1 else str(n)


def _more(top: float, than: float) -> str:
    return percent(top / than - 1).lstrip("+") if than else figure(top)


def _p_words(p: float) -> str:
    words = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
    return words.replace(" ", "\N{NO-BREAK SPACE}")
