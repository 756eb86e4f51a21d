"""Reading raw files: text, typed cells, time zones, counted drops."""
