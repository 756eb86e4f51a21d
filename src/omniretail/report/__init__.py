"""The report: from results to a table with intervals and tests, in a terminal, a README or a page with plots.

``comparison`` makes the one table that all the rest is made from.
"""

from omniretail.report.pages.comparison import write_html
from omniretail.report.plots.captions import Plot, plots
from omniretail.report.plots.comparison import accuracy_by_activity
from omniretail.report.tables.comparison import comparison, read_csv, to_csv
from omniretail.report.tables.format import verdict
from omniretail.report.tables.protocol import merged
from omniretail.report.tables.render import markdown, refresh, terminal, with_table

__all__ = [
    "Plot",
    "accuracy_by_activity",
    "comparison",
    "markdown",
    "merged",
    "plots",
    "read_csv",
    "refresh",
    "terminal",
    "to_csv",
    "verdict",
    "with_table",
    "write_html",
]
