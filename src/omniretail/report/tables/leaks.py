"""The leak audit as text: which views stay unchanged, which leak and in which columns."""

from collections.abc import Sequence

import pandas as pd

from omniretail.audit.detect import CONTROL, Finding
from omniretail.report.tables.text_table import TextTable

_MAX_COLUMNS = 5  # columns of a leak that a line names


def audit_cells(findings: Sequence[Finding]) -> pd.DataFrame:
    """A row per view with the changes that left it unchanged, and one for each change that did not."""
    rows: list[list[str]] = []
    for view in dict.fromkeys(each.view for each in findings if not each.why_not):
        of_view = [each for each in findings if each.view == view and not each.why_not]
        size = [view, f"{max(each.rows for each in of_view):,}", f"{max(each.columns for each in of_view):,}"]
        after = [each for each in of_view if each.change != CONTROL]
        changes, leaking = ({each.change: None for each in some} for some in (after, leaks(after)))
        unchanged = [change for change in changes if change not in leaking]
        if unchanged:
            rows.append([*size, ", ".join(unchanged) if leaking else f"everything ({len(changes)} changes)", "yes"])
        rows += [[*size, each.change, f"NO: {leaking_columns(each)}"] for each in leaks(after)]
    return pd.DataFrame(rows, columns=["view", "rows", "columns", "changed afterwards", "bit-identical"])


def audit_table(findings: Sequence[Finding]) -> TextTable:
    """The same for a terminal, leaks in bold."""
    cells = audit_cells(findings)
    verdicts = enumerate(cells["bit-identical"])
    return TextTable(cells, bold=frozenset((row, cells.shape[1] - 1) for row, text in verdicts if text != "yes"))


def audit_sentences(findings: Sequence[Finding]) -> list[str]:
    """The changes made, views that were not audited and why, controls that fail, and the verdict."""
    why = {each.view: each.why_not for each in findings if each.why_not}
    audited = dict.fromkeys(each.view for each in findings if not each.why_not)
    controlled = {each.view for each in findings if each.change == CONTROL and each.differing}
    changes = dict.fromkeys(each.change for each in findings if each.change and each.change != CONTROL)
    at = " and after ".join(f"{each:%Y-%m-%d %H:%M}" for each in sorted({f.at for f in findings}))
    sentences = [f"Changed, one at a time: {', '.join(changes)}."] if changes else []
    sentences += [f"Not audited: {view}: {reason}" for view, reason in why.items() if view not in audited]
    sentences += [
        f"{view} does not depend on the past either, so its audit proves nothing."
        for view in audited
        if view not in controlled
    ]
    sentences += [
        f"LEAK in {each.view}: {leaking_columns(each)}; {each.change} after {each.at:%Y-%m-%d %H:%M}."
        for each in leaks(findings)
    ]
    return sentences if leaks(findings) else [*sentences, f"Nothing after {at} reaches any of {len(audited)} views."]


def leaks(findings: Sequence[Finding]) -> list[Finding]:
    """Findings in which a change of the future changed the view."""
    return [each for each in findings if each.change != CONTROL and each.differing]


def leaking_columns(finding: Finding) -> str:
    """The columns that differ, most rows first."""
    first = sorted(finding.differing.items(), key=lambda each: -each[1])[:_MAX_COLUMNS]
    more = len(finding.differing) - len(first)
    return ", ".join(f"{name} ({rows:,})" for name, rows in first) + (f" and {more:,} more columns" if more else "")
