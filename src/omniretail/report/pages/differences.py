"""Where models differ: group by group, and on single customers."""

from collections.abc import Mapping, Sequence

import pandas as pd

from omniretail.report.pages.page import Section, Table
from omniretail.report.tables.by_activity import by_activity
from omniretail.report.tables.comparison import shown_metrics
from omniretail.report.tables.comparison_text import text_table
from omniretail.report.tables.protocol import by_name, merged
from omniretail.report.tables.single_users import single_users
from omniretail.result import Result

_MAX_MODELS = 6


def differences(
    results: Sequence[Result], table: pd.DataFrame, lists: Mapping[str, pd.DataFrame] | None = None
) -> list[Section]:
    """Sections for a comparison of several recommenders; none for other tasks.

    Args:
        results: of which ``comparison`` made the table.
        table: from ``comparison``.
        lists: example lists by run id, see ``recommendation.examples``.
    """
    primary, named = shown_metrics(table)[0], merged(results)
    sections = []
    if len(table) > 1 and all({primary, "n_history"} <= {*each.per_unit.columns} for each in named.values()):
        first = set(map(str, table.index[:_MAX_MODELS]))
        chosen = [run for name, group in by_name(results).items() if name in first for run in group]
        groups = Table.of_text(text_table(by_activity(chosen, primary)))
        sentence = (
            "The best model against the others, in groups of customers by the number of events before the cutoff."
        )
        sections.append(Section("Differences by group of customers", [sentence], [groups], closed=True))
    runs = {name: group[0].run_id for name, group in by_name(results).items()}
    best = [str(name) for name in table.index[:2]]
    own = {name: lists[runs[name]] for name in best if lists and runs[name] in lists}
    cells = single_users(table, named, own) if len(own) == 2 else pd.DataFrame()
    if len(cells):
        sentence = (
            f"Of the customers whose lists were recorded, those whom {best[0]} serves much better than {best[1]}, and "
            "the other way round; ✓ is an item that the customer took after the cutoff."
        )
        sections.append(Section("Customers on whom the two best differ most", [sentence], [Table(cells)]))
    return sections
