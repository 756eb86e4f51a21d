"""Recommenders, one file per model; their protocol is ``models/protocols.py``."""
