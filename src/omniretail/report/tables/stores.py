"""Stores in tables: which one next, what a policy costs, what budgets leave; and how an experiment keeps them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.format import TIED
from omniretail.report.tables.plain import plain_markdown

NEXT, GROUPS, POLICY, BUDGETS = "next", "groups", "policy", "budgets"
_NEXT_LEGEND = [
    "Accuracy: the first store told is right; MRR: one over the right one's place; each the mean over a customer's "
    "visits, then over customers. What is told is known at the cutoff; only the moment of the visit may be given.",
    f"95 %: with other customers (bootstrap). **Best** of the question; {TIED} not significantly different from it "
    f"(p ≥ {ALPHA}, paired t-test over customers, Holm).",
]
_GROUP_LEGEND = [
    "MRR by how many stores the customer visited in the 91 days before the cutoff; marks as above, within the group.",
]
_POLICY_LEGEND = [
    "Feasible: share of the first ten that the rules allow, before they are applied and after. Regret: NDCG@10 that "
    "they take away, with its 95 % interval (bootstrap over customers); score regret: share of the model's own gain.",
    "Lists of customers for whom nothing was left are those of the policy's fallback, and count as not feasible.",
]
_BUDGET_LEGEND = [
    "Share: of the demand expected that budgets can serve (by demand: at each store; equal: the same number at all). "
    "Expects: sum of the chances chosen; gap: what is proven to be missing at most. Found: offers whose customer came.",
    "F1 is IJCAI-16's, of lists that leave out offers which cost more precision than they bring recall (both methods).",
    "Sums stand for all shares together: their p is that of the difference in customers found (paired t-test).",
]


def store_markdown(table: pd.DataFrame) -> str:
    """For a README: every part of an experiment about stores, each with how to read it.

    Args:
        table: with ``part``, from ``keep_part``.
    """
    parts: dict[str, tuple[str, Callable[[pd.DataFrame], pd.DataFrame], list[str]]] = {
        NEXT: ("Which store next", next_cells, _NEXT_LEGEND),
        GROUPS: ("By group", group_cells, _GROUP_LEGEND),
        POLICY: ("What the policy costs", policy_cells, _POLICY_LEGEND),
        BUDGETS: ("Offers under budgets", budget_cells, _BUDGET_LEGEND),
    }
    texts = []
    for part, (title, cells, legend) in parts.items():
        rows = pd.DataFrame(table[table.part == part]).dropna(axis="columns", how="all")
        sets = rows.groupby("dataset", sort=False) if len(rows) else ()
        texts += [f"{title}: {name}\n\n{plain_markdown(cells(each), legend)}" for name, each in sets]
    return "\n".join(texts)


def keep_part(folder: Path, part: str, dataset: str, rows: pd.DataFrame) -> None:
    """Put a part of an experiment into its results.csv, in place of what stood there for this dataset."""
    path = folder / "results.csv"
    new = rows.copy()
    new.insert(0, "part", part)
    new.insert(1, "dataset", dataset)
    if path.exists():
        old = pd.read_csv(path)
        new = pd.concat([pd.DataFrame(old[(old.part != part) | (old.dataset != dataset)]), new], ignore_index=True)
    new.to_csv(path, index=False)


def next_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per question and model, as text."""
    return pd.DataFrame(
        {
            "question": rows.question.where(~rows.question.duplicated(), "").tolist(),
            "model": rows.model.tolist(),
            "accuracy": _marked(rows, "accuracy"),
            "95 %": _interval(rows, "accuracy"),
            "MRR": _marked(rows, "mrr"),
            "MRR 95 %": _interval(rows, "mrr"),
            "recall@3": rows.recall_at_3.map("{:.4f}".format).tolist(),
            "customers": rows.customers.map("{:,.0f}".format).tolist(),
        }
    )


def group_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per question and model, a column per group, as text."""
    sizes = rows.drop_duplicates("group").set_index("group").customers
    shown = rows.assign(text=_marked(rows, "mrr"), model=rows.model)
    wide = shown.pivot_table(index=["question", "model"], columns="group", values="text", aggfunc="first", sort=False)
    wide = wide.loc[:, list(sizes.index)].fillna("–")
    wide.columns = [f"{name} ({size:,.0f})" for name, size in sizes.items()]
    wide = wide.reset_index()
    return wide.assign(question=wide.question.where(~wide.question.duplicated(), ""))


def policy_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per model and policy, as text."""
    figures = {
        "NDCG@10 free": "free",
        "NDCG@10 shown": "shown",
        "regret": "regret",
        "score regret": "score_regret",
        "feasible before": "feasible_before",
        "feasible after": "feasible_after",
    }
    shown: dict[str, Any] = {"model": rows.model.tolist()}
    for heading, column in figures.items():
        shown[heading] = rows[column].map("{:.4f}".format).tolist()
        if column == "regret":
            shown["95 %"] = _interval(rows, "regret")
    counts = ("customers", "fallen_back", "unknown")
    return pd.DataFrame(shown | {name.replace("_", " "): rows[name].map("{:,.0f}".format).tolist() for name in counts})


def budget_cells(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per kind of budget, offers a user and tightness, greedy beside auction, as text."""
    keys = ["budgets", "k", "tightness"]
    return pd.DataFrame([_budget_line(part) for _, part in rows.groupby(keys, sort=False, dropna=False)])


def _budget_line(part: pd.DataFrame) -> dict[str, str]:
    of = {(row["aim"], row["method"]): row for row in part.to_dict("records")}
    greedy, auction = of["value", "greedy"], of["value", "auction"]
    base, better = of["F1", "greedy"], of["F1", "auction"]
    line = {"budgets": str(greedy["budgets"]), "k": f"{greedy['k']:.0f}"}
    if pd.isna(greedy["tightness"]):  # the sums
        found = f"{auction['served']:,.0f} (p {auction['p']:.3f})"
        f1 = {"greedy": f"{base['served']:,.0f} found", "auction": f"{better['served']:,.0f} (p {better['p']:.3f})"}
        line |= {"share": "sum", "greedy expects": "", "auction expects": "", "gap ≤": ""}
    else:
        found = f"{auction['served']:,.0f}"
        f1 = {"greedy": f"{base['f1']:.4f}", "auction": f"{better['f1']:.4f}"}
        gain = auction["expected"] / greedy["expected"] - 1
        line |= {"share": f"{greedy['tightness']:g}", "greedy expects": f"{greedy['expected']:,.1f}"}
        line |= {"auction expects": f"{auction['expected']:,.1f} ({gain:+.1%})", "gap ≤": f"{auction['gap']:.2%}"}
    line |= {"greedy found": f"{greedy['served']:,.0f}", "auction found": found}
    return line | {"greedy F1": f1["greedy"], "auction F1": f1["auction"]}


def _marked(rows: pd.DataFrame, figure: str) -> list[str]:
    """Bold where the best, † where it cannot be told from the best."""
    cells = zip(rows[figure], rows[f"{figure}_p"], strict=True)
    return [
        f"**{value:.4f}**" if np.isnan(p) else f"{value:.4f} {TIED}" if p >= ALPHA else f"{value:.4f}"
        for value, p in cells
    ]


def _interval(rows: pd.DataFrame, figure: str) -> list[str]:
    return [f"{low:.4f}–{high:.4f}" for low, high in zip(rows[f"{figure}_low"], rows[f"{figure}_high"], strict=True)]
