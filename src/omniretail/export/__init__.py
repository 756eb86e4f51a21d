"""Registering models, and the gate that decides which of them is served."""
