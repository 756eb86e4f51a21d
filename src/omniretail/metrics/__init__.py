"""Metrics: a value per unit, computed from lists, scores or probabilities; they never see a model."""
