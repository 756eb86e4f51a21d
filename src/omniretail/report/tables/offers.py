"""Response models beside each other: who acts on an offer, ranked and as a probability."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pandas as pd

from omniretail.metrics.significance import ALPHA, bootstrap_test, holm
from omniretail.o2o.offers.figures import PROBABILITY, RANKING, OfferResult, columns, draws, ranking
from omniretail.report.tables.format import TIED, amount
from omniretail.report.tables.plain import plain_markdown
from omniretail.report.tables.protocol import by_name, require_one_protocol

TESTED = ("auc", "auc_per_offer")
_SHOWN = {
    "auc": "AUC",
    "auc_per_offer": "AUC per offer",
    "average_precision": "AP",
    "log_loss": "log loss",
    "brier": "Brier",
    "ece": "ECE",
}
_RESAMPLES = 200


def offer_comparison(results: Sequence[OfferResult]) -> pd.DataFrame:
    """One row per model, best AUC first; several seeds of a model are averaged.

    Returns:
        Indexed by ``model``. Every figure with ``…_low`` and ``…_high`` (95 %, bootstrap over customers) and ``…_sd``
        over seeds; ``auc_p_best`` and ``auc_per_offer_p_best``: how likely luck alone would set the model and the best
        so far apart (paired bootstrap over customers, Holm-corrected), NaN for the best; ``seeds``, ``stage``,
        ``learned``, ``judged``, ``judged_redeemed`` and ``judged_offers`` (counts), ``fit_s``.

    Raises:
        ValueError: where protocols differ, or a run is given twice.
    """
    alike = cast(Any, results)  # in all that these two ask of results
    require_one_protocol(alike)
    named: dict[str, list[OfferResult]] = cast(Any, by_name(alike))
    table = pd.DataFrame({name: _row(group) for name, group in named.items()}).T.rename_axis(index="model")
    table = table.infer_objects()
    resampled = np.stack([np.mean([_resampled(each) for each in group], axis=0) for group in named.values()])
    for number, figure in enumerate(TESTED):
        table[f"{figure}_p_best"] = _p_best(table[figure].to_numpy(np.float64), resampled[:, :, number])
    return table.sort_index().sort_values("auc", ascending=False, kind="stable")


def offer_cells(table: pd.DataFrame) -> pd.DataFrame:
    """The comparison as text; bold: the best, †: no worse as far as one can tell."""
    shown: dict[str, Any] = {"model": [str(name).replace("groups=", "on ") for name in table.index]}
    for figure, heading in _SHOWN.items():
        shown[heading] = [_text(row, figure, table) for row in table.to_dict("records")]
        if figure in TESTED:
            ends = zip(table[f"{figure}_low"], table[f"{figure}_high"], strict=True)
            shown[f"{heading} 95 %"] = ["–" if np.isnan(low) else f"{low:.3f}–{high:.3f}" for low, high in ends]
    if (table.seeds > 1).any():
        seeds = zip(table.seeds, table.auc_sd, strict=True)
        shown["seeds (± sd)"] = [f"{int(n)} ± {sd:.3f}" if n > 1 else "1" for n, sd in seeds]
    return pd.DataFrame(shown | {"fit s": table.fit_s.map(amount).to_list()})


def offer_legend(table: pd.DataFrame) -> list[str]:
    """How to read it, in sentences."""
    first = table.iloc[0]
    several = (
        ["seeds: runs averaged, and the standard deviation of AUC between them."] if (table.seeds > 1).any() else []
    )
    return [
        f"{int(first.judged):,} mailings of {int(first.judged_offers)} offers in the {first.stage} stage, "
        f"{first.judged_redeemed / first.judged:.1%} redeemed; models learn from {_range(table.learned)}.",
        "AUC is over all mailings (.5 is chance), AUC per offer its mean over offers, AP average precision; log loss, "
        "Brier score and ECE (expected calibration error, ten bins of equal size) are the better the lower.",
        "95 %: with other customers and the same offers (bootstrap over customers).",
        f"**Best**; {TIED} not significantly different from it (p ≥ {ALPHA}, paired bootstrap over customers, Holm).",
        *several,
    ]


def offer_markdown(table: pd.DataFrame) -> str:
    """For a README: the table and how to read it."""
    return plain_markdown(offer_cells(table), offer_legend(table))


def _range(counts: pd.Series) -> str:
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _row(group: Sequence[OfferResult]) -> dict[str, Any]:
    figures = [each.figures.set_index("figure") for each in group]
    row: dict[str, Any] = {}
    for name in (*RANKING, *PROBABILITY):
        of_seeds = pd.DataFrame([each.loc[name, ["value", "low", "high"]].astype(float) for each in figures])
        value, low, high = of_seeds.mean()
        row |= {name: value, f"{name}_low": low, f"{name}_high": high, f"{name}_sd": of_seeds["value"].std()}
    counts = {name: group[0].counts[name] for name in ("learned", "judged", "judged_redeemed", "judged_offers")}
    fit_s = float(np.mean([each.fit_s for each in group]))
    return row | {"seeds": len(group), "stage": group[0].stage, **counts, "fit_s": fit_s}


def _resampled(result: OfferResult) -> np.ndarray:
    """The tested figures on customers drawn with replacement, the same draws for every model; shape (R, 2)."""
    answers = result.answers.sort_values(["offer_id", "user_id"], kind="stable")
    truth, score, offer = columns(answers)
    drawn = [ranking(truth[rows], score[rows], offer[rows]) for rows in draws(answers, _RESAMPLES)]
    return np.array([[each[name] for name in TESTED] for each in drawn])


def _p_best(values: np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """Holm-corrected p of each model against the best; NaN for the best.

    Args:
        values: shape (M,).
        resampled: shape (M, R).
    """
    if np.isnan(values).all():
        return np.full(len(values), np.nan)
    best = int(np.nanargmax(values))
    p = bootstrap_test(values[best] - values, resampled[best] - resampled)
    others = np.arange(len(p)) != best
    p[others], p[best] = holm(p[others]), np.nan
    return p


def _text(row: dict[Any, Any], figure: str, table: pd.DataFrame) -> str:
    value = row[figure]
    if np.isnan(value):
        return "–"
    best = table[figure].min() if figure in PROBABILITY else table[figure].max()
    mark = f" {TIED}" if figure in TESTED and row[f"{figure}_p_best"] >= ALPHA else ""
    return f"**{value:.3f}**" if value == best else f"{value:.3f}{mark}"
