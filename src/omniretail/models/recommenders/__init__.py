"""Recommenders: one file per model; what they promise stands in ``models/protocols.py``."""
