"""Policies: constraints on the items that may be shown, applied to scores."""
