"""Metrics: a value per user from ranked lists; they never see a model."""
