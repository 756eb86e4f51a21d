"""Sources: one file per dataset, raw file -> canonical tables."""
