"""The report: from results to tables, plots and pages."""
