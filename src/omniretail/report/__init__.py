"""The report: from results to a table with intervals and tests, in a terminal, a README or a page with plots.

``comparison`` makes the one table that all the rest is made from.
"""

from omniretail.report.captions import Plot, plots
from omniretail.report.compare import comparison, read_csv, to_csv
from omniretail.report.figures import accuracy_by_activity
from omniretail.report.page import write_html
from omniretail.report.runs import merged
from omniretail.report.table import markdown, refresh, terminal, with_table
from omniretail.report.words import verdict

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
