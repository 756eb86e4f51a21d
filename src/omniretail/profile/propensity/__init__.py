"""Calibrated probabilities of what each customer does next."""
