"""Encoders beside each other: what each embedding knows, question by question."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from rich.table import Table

from omniretail.metrics.significance import ALPHA, bootstrap_test, holm
from omniretail.profile.probing.figures import BLEND, ProbeResult, answered, measure
from omniretail.report.tables.plain import plain_markdown, plain_terminal

REFERENCE = "ProfileTable"
_RESAMPLES = 100
_COSTS = ("dim", "fit_s", "embed_s")


def probe_comparison(results: Sequence[ProbeResult]) -> pd.DataFrame:
    """One row per encoder and question, all from one protocol.

    Returns:
        ``model, question, figure, value, low, high, seed_sd, linear, trees, p_best, customers, classes, dim, fit_s,
        embed_s``; ``p_best`` is how likely luck alone would set the encoder and the question's best so far apart
        (bootstrap over customers, paired, Holm-corrected), NaN for the best.

    Raises:
        ValueError: where protocols differ, or an encoder is given twice.
    """
    named = _named(results)
    rows = []
    for name, result in named.items():
        by_probe = result.figures.pivot_table(index="question", columns="probe", values="value", sort=False)
        blend = result.figures[result.figures.probe == BLEND].drop(columns="probe")
        own = by_probe.drop(columns=BLEND).loc[blend.question].reset_index(drop=True)
        costs = {cost: getattr(result, cost) for cost in _COSTS}
        rows.append(pd.concat([blend.reset_index(drop=True), own], axis=1).assign(model=name, **costs))
    table = pd.concat(rows, ignore_index=True)
    table = pd.DataFrame(table[["model", *table.columns.drop("model")]])
    table["p_best"] = np.nan
    for question, part in table.groupby("question", sort=False):
        table.loc[part.index, "p_best"] = _p_best(
            pd.DataFrame(part), {name: named[name] for name in part.model}, str(question)
        )
    return table


def probe_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as text: a row per encoder, a column per question; the best bold, ties with it marked."""
    shown = table.assign(text=[_figure(row) for row in table.itertuples()])
    wide = shown.pivot_table(aggfunc="first", sort=False, index="model", columns="question", values="text")
    order = dict.fromkeys(table.model), dict.fromkeys(table.question)
    wide = wide.loc[list(order[0]), list(order[1])]
    wide.columns = [_heading(table, str(question)) for question in wide.columns]
    costs = table.groupby("model", sort=False)[list(_COSTS)].first()
    return wide.assign(dim=costs.dim.astype(str), fit=costs.fit_s.map("{:.1f}".format)).reset_index()


def probe_legend(table: pd.DataFrame) -> list[str]:
    """How to read it, in sentences."""
    return [
        "AUC is the mean over classes (.5 is chance), ρ Spearman's rank correlation; each the mean of a linear probe's "
        "and LightGBM's answers (linear alone where a question has many classes), mean over deals of the customers.",
        f"**Best**; † not significantly different from it (p ≥ {ALPHA}, paired bootstrap over customers, Holm).",
        "Facts are asked of other customers at the same moment; what happens in the next window is learned a window "
        "earlier from other customers. fit: seconds.",
    ]


def probe_markdown(table: pd.DataFrame) -> str:
    """For a README: the table and how to read it."""
    return plain_markdown(probe_cells(table), probe_legend(table))


def probe_terminal(table: pd.DataFrame) -> Table:
    """For ``rich.console.Console.print``."""
    return plain_terminal(probe_cells(table))


def _named(results: Sequence[ProbeResult]) -> dict[str, ProbeResult]:
    protocols = {(r.stage, r.settings.get("data"), r.settings.get("split")) for r in results}
    if len(protocols) > 1:
        raise ValueError("encoders questioned under different protocols cannot be compared; run them on one")
    twice = {r.model for r in results if sum(r.model == other.model for other in results) > 1}
    names = [f"{r.model} {r.run_id[:8]}" if r.model in twice else r.model for r in results]
    if len(set(names)) < len(names):
        raise ValueError("an encoder's run is given twice")
    return dict(zip(names, results, strict=True))


def _p_best(part: pd.DataFrame, named: dict[str, ProbeResult], question: str) -> np.ndarray:
    best = int(np.nanargmax(part.value)) if part.value.notna().any() else 0
    values = np.stack([_resampled(result, question) for result in named.values()])  # (M, R)
    p = bootstrap_test(part.value.iloc[best] - part.value.to_numpy(), values[best] - values)
    others = np.arange(len(p)) != best
    p[others], p[best] = holm(p[others]), np.nan
    return p


def _resampled(result: ProbeResult, question: str) -> np.ndarray:
    """The figure on customers drawn with replacement, the same draws for every encoder; shape (R,)."""
    said = answered(result, question)
    rng = np.random.default_rng(0)
    draws = (rng.integers(len(said.users), size=len(said.users)) for _ in range(_RESAMPLES))
    return np.array([measure(said.kind, said.truth[drawn], said.score[drawn]) for drawn in draws])


def _figure(row: object) -> str:
    value, p = row.value, row.p_best  # type: ignore[attr-defined]
    if not np.isfinite(value):
        return "–"
    text = f"{value:.3f}"
    return f"**{text}**" if np.isnan(p) else f"{text} †" if p >= ALPHA else text


def _heading(table: pd.DataFrame, question: str) -> str:
    figure = table.loc[table.question == question, "figure"].iloc[0]
    return f"{question.replace('_', ' ')} {'ρ' if figure == 'spearman' else 'AUC'}"
