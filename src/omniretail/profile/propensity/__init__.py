"""Propensity: calibrated probabilities of what each customer does in the next window."""
