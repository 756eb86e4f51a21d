"""Policies: constraints on what may be shown, applied to scores."""
