"""The leak audit for people: which view stood still, which leaks and where, and what a leak is worth."""

from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.table import Table
from rich.text import Text

from omniretail.audit.detect import CONTROL, Finding
from omniretail.audit.leak_value import HONEST
from omniretail.metrics.significance import ALPHA
from omniretail.report.tables.format import NOTHING, probability
from omniretail.report.tables.plain import plain_markdown

_NAMED = 5  # columns of a leak that a line names


def audit_cells(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row per view and answer: what was changed that left it as it was, and each change that did not."""
    rows: list[list[str]] = []
    for view in dict.fromkeys(each.view for each in findings if not each.why_not):
        asked = [each for each in findings if each.view == view and not each.why_not]
        size = [view, *(f"{max(sizes):,}" for sizes in ([f.rows for f in asked], [f.columns for f in asked]))]
        after = [each for each in asked if each.change != CONTROL]
        changes, leaking = ({each.change: None for each in some} for some in (after, leaks(after)))
        still = [change for change in changes if change not in leaking]
        if still:
            rows.append([*size, ", ".join(still) if leaking else f"everything ({len(changes)} changes)", "yes"])
        rows += [[*size, each.change, f"NO: {leak(each)}"] for each in leaks(after)]
    return pd.DataFrame(rows, columns=["view", "rows", "columns", "changed afterwards", "bit-identical"])


def audit_terminal(findings: Sequence[Finding]) -> Table:
    """The same for ``rich.console.Console.print``."""
    shown = audit_cells(findings)
    grid = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in shown:
        grid.add_column(str(name), justify="right" if name in ("rows", "columns") else "left", overflow="fold")
    for row in shown.to_numpy().tolist():
        grid.add_row(*map(Text, row), style="red" if row[-1] != "yes" else "")
    return grid


def audit_sentences(findings: Sequence[Finding]) -> list[str]:
    """What was changed, what was not audited and why, what proves nothing, and the verdict."""
    why = {each.view: each.why_not for each in findings if each.why_not}
    audited = dict.fromkeys(each.view for each in findings if not each.why_not)
    moved = {each.view for each in findings if each.change == CONTROL and each.differing}
    changes = dict.fromkeys(each.change for each in findings if each.change and each.change != CONTROL)
    at = " and after ".join(f"{each:%Y-%m-%d %H:%M}" for each in sorted({f.at for f in findings}))
    said = [f"Changed, each by itself: {', '.join(changes)}."] if changes else []
    said += [f"Not audited: {view}: {reason}" for view, reason in why.items() if view not in audited]
    said += [
        f"{view} is not moved by another past either: its standing still says nothing."
        for view in audited
        if view not in moved
    ]
    said += [
        f"LEAK in {each.view}: {leak(each)}; {each.change} after {each.at:%Y-%m-%d %H:%M}." for each in leaks(findings)
    ]
    return said if leaks(findings) else [*said, f"Nothing after {at} reaches any of {len(audited)} views."]


def leaks(findings: Sequence[Finding]) -> list[Finding]:
    """Those in which something afterwards moved the view."""
    return [each for each in findings if each.change != CONTROL and each.differing]


def leak(finding: Finding) -> str:
    """The columns by name, most rows first."""
    first = sorted(finding.differing.items(), key=lambda each: -each[1])[:_NAMED]
    more = len(finding.differing) - len(first)
    return ", ".join(f"{name} ({rows:,})" for name, rows in first) + (f" and {more:,} more columns" if more else "")


def worth_cells(table: pd.DataFrame) -> pd.DataFrame:
    """What each leak is worth, as text; bold: a gain that luck would hardly give."""
    rows = []
    for row in table.reset_index().to_dict("records"):
        honest = row["ahead"] == HONEST
        gain = NOTHING if honest else f"{row['gain']:+.3f}".replace("-", "−")
        sure = not honest and row["p"] < ALPHA
        rows.append(
            {
                "model": row["model"],
                "told beside": row["ahead"],
                "AUC": f"{row['auc']:.3f}",
                "AUC 95 %": f"{row['auc_low']:.3f}–{row['auc_high']:.3f}",
                "gain": f"**{gain}**" if sure else gain,
                "gain 95 %": NOTHING
                if honest
                else f"{row['gain_low']:+.3f} to {row['gain_high']:+.3f}".replace("-", "−"),
                "p": probability(row["p"]),
                "AUC per offer": f"{row['auc_per_offer']:.3f}",
            }
        )
    return pd.DataFrame(rows)


def worth_legend(table: pd.DataFrame) -> list[str]:
    """How to read it, in sentences."""
    first = table.iloc[0]
    return [
        f"{int(first.judged):,} rows judged, {first.judged_redeemed / first.judged:.1%} redeemed; each model is "
        f"trained and judged on the same rows, once with {HONEST} and once with each leak.",
        "95 %: with other customers and the same offers (bootstrap over customers).",
        f"p: how likely luck alone would give such a gain in AUC over the same model with {HONEST} (paired over "
        f"customers, Holm-corrected within the model); bold where it is below {ALPHA}.",
    ]


def worth_markdown(table: pd.DataFrame) -> str:
    """For a README: the table and how to read it."""
    return plain_markdown(worth_cells(table), worth_legend(table))
